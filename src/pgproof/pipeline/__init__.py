"""The line: the only place that knows the order of the stages; frontends call it and nothing below."""

from pgproof.pipeline.blueprints import (
    Objection,
    choose_variants,
    find_blueprint,
    find_not_run,
    find_objections,
    make_ready,
)
from pgproof.pipeline.competing import Raced, compete, find_run, selfcheck
from pgproof.pipeline.demo import DemoResult, demo
from pgproof.pipeline.looking import CheckOutcome, capture, check, write_workload
from pgproof.pipeline.pricing import WhatIf
from pgproof.pipeline.proposing import Advice, advise
from pgproof.pipeline.recommending import recommended_first
from pgproof.pipeline.shipping import DeployPlan, Shipped, deploy, plan_deploy, resume, revert, runs
from pgproof.pipeline.synthesising import Synthesised, SynthesisWishes, synthesised
from pgproof.pipeline.wishes import Wishes

__all__ = [
    "Advice",
    "CheckOutcome",
    "DemoResult",
    "DeployPlan",
    "Objection",
    "Raced",
    "Shipped",
    "SynthesisWishes",
    "Synthesised",
    "WhatIf",
    "Wishes",
    "advise",
    "capture",
    "check",
    "choose_variants",
    "compete",
    "demo",
    "deploy",
    "find_blueprint",
    "find_not_run",
    "find_objections",
    "find_run",
    "make_ready",
    "plan_deploy",
    "recommended_first",
    "resume",
    "revert",
    "runs",
    "selfcheck",
    "synthesised",
    "write_workload",
]
