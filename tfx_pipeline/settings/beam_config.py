"""Which Apache Beam runner the Beam-powered components use, and what that runner needs.

These are BehaviorExampleGen, StatisticsGen, Transform, SequenceClusterer and the Evaluator. What a
runner lacks is told when the settings are read, long before a job would fail on the cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from tfx_pipeline.paths.inputs import is_remote
from trainer.nearest import hint
from trainer.settings import ConfigError, Settings

DIRECT, DATAFLOW = "DirectRunner", "DataflowRunner"
FLINK, SPARK, PORTABLE = "FlinkRunner", "SparkRunner", "PortableRunner"
RUNNERS = (DIRECT, DATAFLOW, FLINK, SPARK, PORTABLE)

_OF_JOB_SERVERS = (FLINK, SPARK, PORTABLE)
# Settings that only some runners have; given with another one they are a mistake.
_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "direct_num_workers": (DIRECT,),
    "direct_running_mode": (DIRECT,),
    "project": (DATAFLOW,),
    "region": (DATAFLOW,),
    "temp_location": (DATAFLOW,),
    "flink_master": (FLINK,),
    "spark_master": (SPARK,),
    "job_server_jar": (FLINK, SPARK),
    "job_endpoint": _OF_JOB_SERVERS,
    "environment_type": _OF_JOB_SERVERS,
    "environment_config": _OF_JOB_SERVERS,
    "worker_image": (DATAFLOW, *_OF_JOB_SERVERS),
    "setup_file": (DATAFLOW, *_OF_JOB_SERVERS),
}
# Beam's names, where they differ from ours.
_FLAGS = {"worker_image": "sdk_container_image", "spark_master": "spark_master_url"}
_JAR_FLAGS = {FLINK: "flink_job_server_jar", SPARK: "spark_job_server_jar"}
_OWN_MASTERS = ("[local]", "[auto]", "local")


class BeamConfig(Settings):
    """How the Beam parts run; see docs/how-to/beam-runners.md."""

    runner: str = DIRECT
    """DirectRunner, DataflowRunner, FlinkRunner, SparkRunner or PortableRunner."""
    direct_num_workers: Annotated[int, pydantic.Field(ge=0)] = 1
    """Workers of the DirectRunner; 0 is one per core."""
    direct_running_mode: Literal["in_memory", "multi_threading", "multi_processing"] = "in_memory"
    """Where the workers of the DirectRunner are."""
    project: str | None = None
    """Google Cloud project of the DataflowRunner."""
    region: str | None = None
    """Google Cloud region of the DataflowRunner."""
    temp_location: str | None = None
    """gs:// folder for temporary files of the DataflowRunner."""
    flink_master: str | None = None
    """host:port of the FlinkRunner's cluster; [local] for one in the process of the job server."""
    spark_master: str | None = None
    """Master of the SparkRunner's cluster, spark://host:port; local for one in the process of the
    job server."""
    job_endpoint: str | None = None
    """host:port of a job server that runs already; needed by the PortableRunner."""
    job_server_jar: str | None = None
    """Jar of Beam's job server for Flink or Spark, to start one for every job."""
    worker_image: str | None = None
    """Container image of the workers, with this project installed. Workers of PROCESS and EXTERNAL
    are started by others: there it only says that nothing has to be installed on them."""
    setup_file: str | None = None
    """setup.py of this project, to install it on the workers instead of an image."""
    environment_type: Literal["DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK"] | None = None
    """How workers of Flink, Spark and other portable runners are started."""
    environment_config: str | None = None
    """For PROCESS the command as JSON, for EXTERNAL the worker pool's host:port."""
    extra_args: tuple[str, ...] = ()
    """More Beam arguments, for example `--max_num_workers=20` for Dataflow."""

    @pydantic.field_validator("runner")
    @classmethod
    def _known_runner(cls, value: str) -> str:
        if value not in RUNNERS:
            raise ValueError(f"unknown Beam runner; {hint(value, RUNNERS, cutoff=0.4)}")
        return value

    @pydantic.field_validator("flink_master", mode="before")
    @classmethod
    def _in_brackets(cls, value: Any) -> Any:
        # `[local]` is a list in YAML, and what Flink calls a cluster of its own.
        return f"[{value[0]}]" if isinstance(value, list) and len(value) == 1 else value

    @property
    def distributed(self) -> bool:
        """Whether workers may be on other machines."""
        return self.runner != DIRECT

    def check(self) -> None:
        """Checks that the runner has what it needs, and nothing of another runner's.

        Raises:
            ConfigError: naming the settings that are missing or out of place.
        """
        for name, runners in _ONLY_FOR.items():
            if getattr(self, name) != type(self).model_fields[name].default and (
                self.runner not in runners
            ):
                raise ConfigError(
                    f"setting 'beam.{name}' is for {' and '.join(runners)}; "
                    f"beam.runner is {self.runner}"
                )
        if self.runner == DATAFLOW:
            self._require("project", "region", "temp_location")
            if not str(self.temp_location).startswith("gs://"):
                raise ConfigError(
                    f"setting 'beam.temp_location': DataflowRunner needs a gs:// folder, "
                    f"not {self.temp_location!r}"
                )
        elif self.runner == PORTABLE:
            self._require("job_endpoint")
        elif self.runner in (FLINK, SPARK) and not self.job_endpoint:
            self._require("flink_master" if self.runner == FLINK else "spark_master")
            if not self.job_server_jar:
                raise ConfigError(
                    f"{self.runner} needs beam.job_endpoint (a job server that runs already) or "
                    "beam.job_server_jar (to start one); nothing is downloaded at run time"
                )
        if self.distributed:
            self._check_workers()

    def check_reach(self, folder: str, what: str) -> None:
        """Checks that workers can reach where they are to read or write.

        Args:
            folder: path or URI.
            what: the setting or option that names it, for the message.

        Raises:
            ConfigError: it is a folder of one machine, and the workers are on others for certain.
        """
        if self.runner == DATAFLOW and not is_remote(folder):
            raise ConfigError(
                f"{what} {folder!r}: workers of DataflowRunner see no folder of this machine; "
                "compile the pipeline for Kubeflow with kubeflow.pipeline_root=gs://…, or use "
                "another beam.runner"
            )

    def pipeline_args(self) -> list[str]:
        """The settings as Beam command line arguments, without those that are Beam's defaults.

        With any argument at all, TFX packs itself into an archive for remote workers, a few
        seconds for each Beam component, unless an image or a setup file is given. The defaults need
        none.
        """
        args = [f"--runner={self.runner}"] if self.distributed else []
        if (self.direct_num_workers, self.direct_running_mode) != (1, "in_memory"):
            args += [
                f"--direct_num_workers={self.direct_num_workers}",
                f"--direct_running_mode={self.direct_running_mode}",
            ]
        in_docker = self.environment_type in (None, "DOCKER")
        if self.runner in _OF_JOB_SERVERS and in_docker and self.worker_image:
            # Portable runners read the image from here; the other option still tells TFX that
            # workers have all they need.
            args.append(f"--environment_config={self.worker_image}")
        for name in _ONLY_FOR:
            value = getattr(self, name)
            if value is not None and not name.startswith("direct_"):
                flag = _JAR_FLAGS[self.runner] if name == "job_server_jar" else name
                args.append(f"--{_FLAGS.get(name, flag)}={value}")
        return args + list(self.extra_args)

    def _require(self, *names: str) -> None:
        missing = [f"beam.{name}" for name in names if not getattr(self, name)]
        if missing:
            raise ConfigError(f"{self.runner} needs {', '.join(missing)}")

    def _check_workers(self) -> None:
        """The workers must have this project's code."""
        if self.environment_type in ("PROCESS", "EXTERNAL"):
            if not self.environment_config:
                raise ConfigError(
                    f"setting 'beam.environment_type': {self.environment_type} needs "
                    "beam.environment_config"
                )
            return
        if self.setup_file and not Path(self.setup_file).is_file():
            raise ConfigError(f"setting 'beam.setup_file': no file {self.setup_file!r}")
        in_one_process = self.environment_type == "LOOPBACK" or (
            self.environment_type is None
            and (self.flink_master in _OWN_MASTERS or self.spark_master in _OWN_MASTERS)
        )
        if not (in_one_process or self.worker_image or self.setup_file):
            raise ConfigError(
                f"workers of {self.runner} need this project's code: give beam.worker_image (a "
                "container image with it, see kubeflow/) or beam.setup_file (setup.py)"
            )
