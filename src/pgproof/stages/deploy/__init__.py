"""Ships a variant to a target as reversible steps under a journal, and takes it back."""

from pgproof.stages.deploy.forward import SchemaDump, deploy_variant
from pgproof.stages.deploy.gate import GateLimits
from pgproof.stages.deploy.journal import JournalSink
from pgproof.stages.deploy.migration import write_migration
from pgproof.stages.deploy.reconcile import resume_rollout
from pgproof.stages.deploy.revert import revert_rollout

__all__ = [
    "GateLimits",
    "JournalSink",
    "SchemaDump",
    "deploy_variant",
    "resume_rollout",
    "revert_rollout",
    "write_migration",
]
