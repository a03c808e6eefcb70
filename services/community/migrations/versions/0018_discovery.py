"""What communities are found by, and how many belong to them."""

from itertools import groupby
import unicodedata

from alembic import op
import sqlalchemy as sa

revision = "0018"
down_revision = "0017"

_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def upgrade() -> None:
    """Add it. A trigger writes down who comes and goes, so that no way in or out forgets to:
    one row each, as a count that all of them changed would make them wait for each other."""
    op.execute(
        """
        ALTER TABLE community
            ADD tags text[] NOT NULL DEFAULT '{}',
            ADD language text NOT NULL DEFAULT '',
            ADD facets text[] NOT NULL DEFAULT '{}',
            ADD search tsvector NOT NULL DEFAULT '';
        CREATE INDEX community_found ON community USING gin (search, facets)
            WHERE visibility = 'public' AND standing = 'settled';
        CREATE INDEX community_newest ON community (create_time DESC, id DESC)
            WHERE visibility = 'public' AND standing = 'settled';

        CREATE TABLE member_count (
            community_id uuid PRIMARY KEY REFERENCES community (id),
            members bigint NOT NULL DEFAULT 0,
            listed boolean NOT NULL DEFAULT false
        );
        CREATE INDEX member_count_listed ON member_count (members DESC, community_id DESC)
            WHERE listed;
        INSERT INTO member_count
            SELECT id, (
                SELECT count(*) FROM member
                WHERE member.community_id = community.id AND member.standing = 'settled'
            ), visibility = 'public' AND standing = 'settled'
            FROM community;

        CREATE TABLE member_change (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            change bigint NOT NULL
        );
        CREATE INDEX member_change_community ON member_change (community_id);
        CREATE FUNCTION note_member_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                INSERT INTO member_change (community_id, change) VALUES (OLD.community_id, -1);
            ELSE
                INSERT INTO member_change (community_id, change) VALUES (
                    NEW.community_id, CASE NEW.standing WHEN 'settled' THEN 1 ELSE -1 END
                );
            END IF;
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER member_came AFTER INSERT ON member
            FOR EACH ROW WHEN (NEW.standing = 'settled')
            EXECUTE FUNCTION note_member_change();
        CREATE TRIGGER member_went AFTER DELETE ON member
            FOR EACH ROW WHEN (OLD.standing = 'settled')
            EXECUTE FUNCTION note_member_change();
        CREATE TRIGGER member_came_or_went AFTER UPDATE OF standing ON member
            FOR EACH ROW WHEN ((OLD.standing = 'settled') <> (NEW.standing = 'settled'))
            EXECUTE FUNCTION note_member_change();
        """
    )
    # Words are found as the service does it: PostgreSQL's own parsers know few scripts.
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT id, name, description FROM community")).all()
    if found:
        connection.execute(
            sa.text("UPDATE community SET search = CAST(:search AS tsvector) WHERE id = :id"),
            [{"id": row.id, "search": document(row.name, row.description)} for row in found],
        )


def document(name: str, description: str) -> str:
    """What a community is searched by, at the time of this migration."""
    found = [(word, "A") for word in words(name)] + [(word, "D") for word in words(description)]
    return " ".join(f"'{word}':{place}{weight}" for place, (word, weight) in enumerate(found, 1))


def words(text: str) -> list[str]:
    """The words of a text, at the time of this migration."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in apart if not 0x300 <= ord(letter) < 0x370)
    found = []
    for kind, run in groupby(unicodedata.normalize("NFKC", bare), _kind):
        word = "".join(run)
        if kind == "unspaced":
            found += [word[place : place + 2] for place in range(len(word))]
        elif kind == "spaced":
            found.append(word[:64])
    return found


def _kind(letter: str) -> str:
    if unicodedata.category(letter)[0] not in "LMN":
        return "none"
    unspaced = any(first <= ord(letter) <= last for first, last in _UNSPACED)
    return "unspaced" if unspaced else "spaced"
