"""What a run's configuration says of its metrics."""

from typing import Annotated

from pydantic import Field

from broker._validation import Strict


class MetricsSettings(Strict):
    """Metrics and health over HTTP.

    Parameters
    ----------
    port : to listen on.
    address : to listen on: that of this machine alone, or 0.0.0.0 for all that it has.
    stuck_after_seconds : without progress for so long, a micro-batch in hand is unhealthy.
    lag_every_seconds : pause between two questions to Kafka about the ends of its partitions.
    drift_window : classified alerts of a survey whose mean probabilities are compared with the reference.
    drift_reference : classified alerts of a survey, the first of the run's directory, that make up the reference.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 9108
    address: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    stuck_after_seconds: Annotated[float, Field(gt=0)] = 900.0
    lag_every_seconds: Annotated[float, Field(gt=0)] = 15.0
    drift_window: Annotated[int, Field(gt=0)] = 5000
    drift_reference: Annotated[int, Field(gt=0)] = 20_000
