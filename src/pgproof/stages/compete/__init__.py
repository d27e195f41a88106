"""The competition: variants race on equal clones of the database, paired, gated, with honest intervals."""

from pgproof.stages.compete.competition import Held, hold_competition, run_competition
from pgproof.stages.compete.manifest import manifest, reanalyse
from pgproof.stages.compete.selfcheck import run_selfcheck

__all__ = ["Held", "hold_competition", "manifest", "reanalyse", "run_competition", "run_selfcheck"]
