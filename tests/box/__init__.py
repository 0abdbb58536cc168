"""The gateway on loopback that scripts/run, tests/system and tests/bench/issuance share."""
from . import namespace
from .acme import QUICK
from .box import PROXIED, WEB_INTERFACE, Box
from .process import BoxError

