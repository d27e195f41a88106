"""The cases that ship, and what their owners want of them."""

from __future__ import annotations

from pgproof.errors import UsageError
from pgproof.model.blueprint import Target
from pgproof.model.candidate import IndexBudget
from pgproof.scenarios.scenario import Scenario

SHOP = Scenario(
    name="shop",
    title="An order management system with 200,000 orders on two cores",
    goal="Order pages, search, dashboards and assignment fast again, with no answer changed",
    targets=(
        Target(
            "orders page",
            ("ordersPage", "ordersPageDeep", "ordersPageCount", "ordersUpdatedRecently", "orderSummaryPage"),
            limit_ms=2_000,
            faster_frac=0.8,
        ),
        Target(
            "search",
            ("searchByReference", "searchByCustomerName", "searchByPhone"),
            limit_ms=1_000,
            faster_frac=0.8,
        ),
        Target(
            "dashboard",
            ("dashboardByStatus", "dashboardStore", "dashboardDisputes", "ordersOfDay"),
            limit_ms=3_000,
            faster_frac=0.8,
        ),
        Target("assignment", ("assignmentQueue", "agentOpenOrders"), limit_ms=1_000, faster_frac=0.8),
        Target("getUserOrders", ("getUserOrders",), limit_ms=500, faster_frac=0.8),
    ),
)

DIRECTORY = Scenario(
    name="directory",
    title="A user directory with 1,000,000 users",
    goal="The user listing in under 100 ms instead of 800 ms, with at most 200 MB of new indexes",
    targets=(
        Target(
            "user listing",
            ("listUsers", "listUsersByStatus", "listUsersOfPeriod", "newestActive", "organizationMembers"),
            limit_ms=100,
            faster_frac=0.875,
        ),
        Target("deep pages", ("listUsersDeep",), limit_ms=100),
        Target("counts", ("countByStatus", "countOfPeriod", "signupsByDay"), limit_ms=100),
        Target("synchronisation", ("usersChangedSince",), limit_ms=100),
    ),
    budget=IndexBudget(size_bytes=200 * 1000**2),
)

PLATFORM = Scenario(
    name="platform",
    title="A platform with 500,000 users, their sessions, feeds and audit log",
    goal="The mean statement from 245 ms to under 100 ms, the 95th percentile under 500 ms",
    targets=(
        Target("user dashboard", ("userDashboard",), limit_ms=100, faster_frac=0.95),
        Target(
            "activity feed",
            ("activityFeed", "feedActorProfile", "profileOfUser"),
            limit_ms=500,
            faster_frac=0.59,
        ),
        Target(
            "reports",
            ("auditReport", "auditPage", "exportsByRole", "activeUsersByRole"),
            limit_ms=500,
            faster_frac=0.59,
        ),
        Target("session clean-up", ("cleanUpSessions",), limit_ms=500, faster_frac=0.59),
    ),
)

PROPOSALS = Scenario(
    name="proposals",
    title="A proposal system with 80,000 proposals and more than 50 indexes",
    goal="Statements of the API under 50 ms, analytics in half the time or less",
    targets=(
        Target(
            "API lists",
            ("proposalsOfCustomer", "proposalsByStatus", "proposalsFiltered", "contentSearch"),
            limit_ms=50,
        ),
        Target("approval workflow", ("approvalQueue", "waitingApprovals"), limit_ms=50),
        Target("validation", ("openIssues", "issuesOfEntity"), limit_ms=50),
        Target("audit trail", ("auditOfEntity", "auditOfUser"), limit_ms=50),
        Target(
            "analytics",
            ("proposalsByDay", "hypothesisEffect", "issueSummary", "latestBaselines"),
            limit_ms=200,
            faster_frac=0.5,
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (SHOP, DIRECTORY, PLATFORM, PROPOSALS)
"""All of them. A new one is a folder (schema.sql, data.sql, workload.yaml, README.md) and a line here."""


def load_scenario(name: str) -> Scenario:
    """Return the scenario of that name.

    Raises:
        UsageError: There is none.
    """
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in SCENARIOS)
    raise UsageError(f'There is no scenario "{name}"', hint=f"There is: {known}.")
