"""How numbers, times and names are written on the page."""

from __future__ import annotations

import datetime as dt
import math
import re

from components.sequence_clusterer.algorithms import ALGORITHMS
from trainer.evaluation.compared_models import title

MISSING = "–"

METRIC_NAMES = {
    "hr": "HR",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "coverage": "Coverage",
    "recall": "Recall",
}


def known(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def integer(value: float | None) -> str:
    """1234567 -> "1,234,567"."""
    return f"{value:,.0f}" if value is not None and math.isfinite(value) else MISSING


def metric(value: float | None) -> str:
    """Ranking metrics: four decimals."""
    return f"{value:.4f}" if value is not None and math.isfinite(value) else MISSING


def signed_metric(value: float | None) -> str:
    """A difference of metrics, always with its sign; "±0.0000" when it rounds to nothing."""
    if value is None or not math.isfinite(value):
        return MISSING
    return "±0.0000" if abs(value) < 0.00005 else f"{value:+.4f}".replace("-", "−")


def signed_decimals(value: float | None, digits: int) -> str:
    """A measure around zero with so many decimals and a real minus: -0.0312 -> "−0.031"."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    """Shares: 0.123 -> "12.3%"; a share too small for the digits is "<0.1%", not zero."""
    if value is None or not math.isfinite(value):
        return MISSING
    smallest = 10.0**-digits
    if 0 < value * 100 < smallest / 2:
        return f"<{smallest:.{digits}f}%"
    return f"{value * 100:.{digits}f}%"


def signed_percent(value: float | None, digits: int = 1) -> str:
    """A relative change: 0.034 -> "+3.4%"."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value * 100:+.{digits}f}%".replace("-", "−")
    return f"±{text[1:]}" if abs(value * 100) < 10.0**-digits / 2 else text


def decimal(value: float | None) -> str:
    """A quantity of any size: no decimals from 100 on, two below ten."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    return f"{value:,.{digits}f}"


def lift(value: float | None) -> str:
    """2.345 -> "2.3×"."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}×" if value >= 10 else f"{value:.1f}×"


def compact(value: float) -> str:
    """Axis labels: 1200 -> "1.2k", 3400000 -> "3.4M", 0.05 -> "0.05"."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """75 -> "1 min 15 s"."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def parse_time(text: str | None) -> dt.datetime | None:
    """ISO 8601 to an aware time in UTC; None when it is not one."""
    if not text:
        return None
    try:
        time = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (
        time.replace(tzinfo=dt.timezone.utc)
        if time.tzinfo is None
        else time.astimezone(dt.timezone.utc)
    )


def moment(text: str | None) -> str:
    """ISO 8601 -> "31 Dec 2017, 23:59"; other text unchanged."""
    time = parse_time(text)
    if time is None:
        return text or MISSING
    day = f"{time.day} {time:%b %Y}"
    return day if (time.hour, time.minute, time.second) == (0, 0, 0) else f"{day}, {time:%H:%M}"


def plain(value: object) -> str:
    """A value of unknown type: numbers short, lists as "0.12, 0.3", the rest as it prints."""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(entry) for entry in value) or MISSING
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def sentence(text: str) -> str:
    """Capital letter and full stop for what other components give as a reason."""
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def words(name: str) -> str:
    """snake_case -> "Snake case"."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def model_name(name: str) -> str:
    """Name of a model for readers."""
    return words(title(name))


def metric_name(name: str) -> str:
    """Both "ndcg@10" and "ndcg_10" -> "NDCG@10"."""
    match = re.fullmatch(r"([a-z]+)(?:[@_](\d+))?", name.lower())
    if not match or match[1] not in METRIC_NAMES:
        return words(name)
    return METRIC_NAMES[match[1]] + (f"@{match[2]}" if match[2] else "")


def algorithm_name(name: str) -> str:
    """Name of a clustering algorithm for readers: "kmeans" -> "k-means"."""
    return ALGORITHMS[name].title


def cluster_name(cluster: int) -> str:
    """Name of a cluster for readers: 3 -> "Cluster 3", -1 -> "No cluster"."""
    return f"Cluster {cluster}" if cluster >= 0 else "No cluster"


def cluster_number(name: str) -> int | None:
    """The cluster of a specialist's trainer: "Trainer.cluster_3" -> 3; None for other trainers."""
    match = re.fullmatch(r"(?:.*\.)?(?:cluster|specialist)_(\d+)", name)
    return int(match[1]) if match else None


def trainer_name(name: str) -> str:
    """Name of a trainer for readers: "Trainer.cluster_3" -> "Specialist 3"."""
    cluster = cluster_number(name)
    if cluster is not None:
        return f"Specialist {cluster}"
    short = name.rsplit(".", 1)[-1]
    return "Global encoder" if short in ("encoder", "global") else words(short)


def slice_name(slice_: dict[str, str]) -> str:
    """{"cluster_id": "3"} -> "Cluster 3"; the empty slice -> "All users"."""
    names = {"cluster_id": "Cluster", "cluster": "Cluster", "history_length": "History of"}
    parts = []
    for feature, value in slice_.items():
        if names.get(feature) == "Cluster" and value == "-1":
            parts.append(cluster_name(-1))
            continue
        unit = " events" if feature == "history_length" else ""
        parts.append(f"{names.get(feature, words(feature))} {value}{unit}")
    return ", ".join(parts) or "All users"
