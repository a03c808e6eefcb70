"""The posts that have a tag, in the orders in which they are listed."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Change the table; a tag says of its post what the lists go by, as the post does."""
    op.execute(
        """
        ALTER TABLE post_tag
            ADD COLUMN archived boolean,
            ADD COLUMN activity timestamptz;
        UPDATE post_tag SET archived = archive_time IS NOT NULL,
            activity = coalesce(last_reply_time, create_time)
        FROM thread WHERE thread.id = thread_id;
        ALTER TABLE post_tag
            ALTER COLUMN archived SET NOT NULL,
            ALTER COLUMN activity SET NOT NULL;
        CREATE INDEX post_tag_newest ON post_tag (channel_id, tag_id, archived, thread_id);
        CREATE INDEX post_tag_lively
            ON post_tag (channel_id, tag_id, archived, activity, thread_id);
        -- It begins as the first of these.
        DROP INDEX post_tag_channel;

        -- Who changes the post at the same time is waited for: their change is seen here,
        -- or this tag by what follows from their change.
        CREATE FUNCTION describe_post_tag() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            SELECT archive_time IS NOT NULL, coalesce(last_reply_time, create_time)
            INTO NEW.archived, NEW.activity
            FROM thread WHERE id = NEW.thread_id FOR SHARE;
            RETURN NEW;
        END $$;
        CREATE TRIGGER post_tag_described BEFORE INSERT ON post_tag
            FOR EACH ROW EXECUTE FUNCTION describe_post_tag();

        CREATE FUNCTION describe_post_tags() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE post_tag SET archived = NEW.archive_time IS NOT NULL,
                activity = coalesce(NEW.last_reply_time, NEW.create_time)
            WHERE thread_id = NEW.id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER thread_described AFTER UPDATE ON thread FOR EACH ROW
            WHEN (
                OLD.last_reply_time IS DISTINCT FROM NEW.last_reply_time
                OR (OLD.archive_time IS NULL) <> (NEW.archive_time IS NULL)
            )
            EXECUTE FUNCTION describe_post_tags();
        """
    )
