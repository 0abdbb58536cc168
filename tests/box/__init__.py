"""The gateway on loopback that scripts/run, tests/system and tests/bench/issuance share."""
from . import namespace
from .box import PROXIED, WEB_INTERFACE, Box
from .process import BoxError

