"""What newcomers are asked and answer, and what rbac is still to be told of it."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add it. Where there are rules, whoever accepted none may be pending as far as we know:
    nobody is made so by it, and no answer alone admits them."""
    op.execute(
        """
        CREATE SEQUENCE admission AS bigint;
        ALTER TABLE onboarding ADD questions jsonb NOT NULL DEFAULT '[]';
        ALTER TABLE member
            ADD answer_ids uuid[] NOT NULL DEFAULT '{}',
            ADD pending boolean NOT NULL DEFAULT false,
            ADD admission bigint NOT NULL DEFAULT 0,
            ADD tell_time timestamptz;
        UPDATE member SET pending = true FROM onboarding
            WHERE onboarding.community_id = member.community_id
                AND onboarding.rules_version > 0 AND member.accepted_version = 0;
        CREATE INDEX member_untold ON member (tell_time) WHERE tell_time IS NOT NULL;
        """
    )
