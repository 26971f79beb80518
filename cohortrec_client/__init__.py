"""Client of a served cohortrec model: recommendations over REST or gRPC, without TensorFlow.

    from cohortrec_client import History, connect

    with connect("http://localhost:8501", "shop") as client:
        answer = client.recommend(History(["22423", "85123A"], timestamps=[1323250000, 1323260000]))
    for item, score in answer:
        print(item, score)

This package imports nothing of the project. REST needs httpx and tenacity; gRPC needs grpcio and
tensorflow-serving-api as well, of whose TensorFlow only the message types are loaded.
"""

from cohortrec_client.asks import Asks
from cohortrec_client.client import Client, connect
from cohortrec_client.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerError,
    ServerUnavailable,
    ServingError,
    SignatureNotFound,
)
from cohortrec_client.history import History
from cohortrec_client.recommendations import Recommendations
from cohortrec_client.retrying import Patience
from cohortrec_client.shelves import Shelf
from cohortrec_client.transport import VersionStatus

__all__ = [
    "Asks",
    "Client",
    "DeadlineExceeded",
    "History",
    "InvalidRequest",
    "ModelNotFound",
    "Patience",
    "Recommendations",
    "ServerError",
    "ServerUnavailable",
    "ServingError",
    "Shelf",
    "SignatureNotFound",
    "VersionStatus",
    "connect",
]
