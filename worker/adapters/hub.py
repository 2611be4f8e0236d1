"""Asks the model hub which bases it would give us. A program of its own: ids come as arguments, JSON goes out."""

import json
import sys

from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

SECONDS = 10.0


def refusal(api: HfApi, name: str) -> str | None:
    """Why the hub does not give a model, or None where it does."""
    try:
        if api.model_info(name, timeout=SECONDS).gated:
            api.auth_check(name)
    except GatedRepoError:
        return f"{name} is gated: accept its terms on the hub, and set HF_TOKEN"
    except RepositoryNotFoundError:
        return f"the hub has no {name}, or not for this HF_TOKEN"
    except OfflineModeIsEnabled:
        return f"{name} has not been downloaded, and HF_HUB_OFFLINE is set"
    except HfHubHTTPError as error:
        return f"the hub does not give {name}: {error.response.status_code}"
    except Exception as error:  # noqa: BLE001 - the library lets through what its transport raises
        return f"{name} has not been downloaded, and the hub cannot be reached: {type(error).__name__}"
    return None


if __name__ == "__main__":
    hub = HfApi()
    print(json.dumps({name: why for name in sys.argv[1:] if (why := refusal(hub, name))}))  # noqa: T201 - it is asked
