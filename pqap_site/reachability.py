"""Does anything answer where the exchange should be?"""

import httpx

TIMEOUT_SECONDS = 5.0


def problem(url: str) -> str | None:
    """One sentence when nothing answers at `url`; any answer, even a refusal, counts as one."""
    try:
        httpx.get(url, timeout=TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return (
            f"The exchange at {url} cannot be reached ({_reason(fault)}): PQAP runs and keeps "
            "trying; check the network, or the address in exchange.gamma_url."
        )
    return None


def _reason(fault: Exception) -> str:
    return str(fault).strip() or type(fault).__name__
