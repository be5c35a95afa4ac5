"""Who is told what happens to cases, and did it reach them? Signed messages to the systems of owners."""

from gisgrid_server.casework.hooks.declared import Hook, HookFile, read_hooks
from gisgrid_server.casework.hooks.outbox import Dead, Outbox, Standing
from gisgrid_server.casework.hooks.sending import Hooks

__all__ = ["Dead", "Hook", "HookFile", "Hooks", "Outbox", "Standing", "read_hooks"]
