"""The configuration: one strict YAML file and four URL variables in, one frozen object out."""

from pqap_site.config.faults import Refused
from pqap_site.config.loading import load
from pqap_site.config.types import (
    Api,
    Backup,
    Collection,
    Configuration,
    Exchange,
    Logging,
    Notifications,
    Paper,
    Site,
)

__all__ = [
    "Api",
    "Backup",
    "Collection",
    "Configuration",
    "Exchange",
    "Logging",
    "Notifications",
    "Paper",
    "Refused",
    "Site",
    "load",
]
