-- Attempts of the last minute against budgets: logins, refreshes, registrations, new jobs. Keys are hashes with a secret of the
-- deployment. The table is not logged: it is empty after a crash of the server, and allows as many attempts again.
CREATE UNLOGGED TABLE attempts (
    namespace  text COLLATE "C" NOT NULL,
    key        bytea NOT NULL,
    -- Starts of the attempts that count.
    counted    bigint[] NOT NULL DEFAULT '{}',
    -- Starts of the attempts without an outcome yet; each of them may be counted.
    pending    bigint[] NOT NULL DEFAULT '{}',
    -- Time from which no attempt counts any more.
    expires_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, key)
) WITH (fillfactor = 50);

CREATE INDEX attempts_expiry ON attempts (namespace, expires_at);

-- Counts an attempt against all budgets, or against none if one of them is used up.
--
-- Attempts of one key are decided one after the other: their rows are locked, in the order of their keys, and read by a later
-- statement, which sees what the holders before have written. The time is read under the locks, so that it does not precede theirs.
--
-- A budget with `pends` counts attempts once they fail, others at once. One with `delays` refuses attempts beyond it only while
-- it has as many pending ones as are allowed. `reset` is the time in milliseconds until a place of the fullest budget is free.
CREATE FUNCTION begin_attempt(of_namespace text, keys bytea[], budgets bigint[], pends boolean[], delays boolean[],
    test_now bigint, time_window bigint, pending_reset bigint,
    OUT began_at bigint, OUT delayed boolean, OUT remaining bigint, OUT reset bigint)
LANGUAGE plpgsql AS $$
DECLARE
    locked bigint;
    moment bigint;
    refused boolean;
BEGIN
    LOOP
        INSERT INTO attempts (namespace, key) SELECT of_namespace, k FROM unnest(keys) AS k ORDER BY k ON CONFLICT DO NOTHING;
        PERFORM FROM attempts AS a WHERE a.namespace = of_namespace AND a.key = ANY (keys) ORDER BY a.key FOR UPDATE;
        GET DIAGNOSTICS locked = ROW_COUNT;
        -- An expired row may have been deleted in between.
        EXIT WHEN locked = cardinality(keys);
    END LOOP;
    moment := coalesce(test_now, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);

    WITH budget AS (
        SELECT b.allowed, b.pends, b.delays, a.counted, a.pending, a.oldest
        FROM unnest(keys, budgets, pends, delays) AS b (key, allowed, pends, delays)
        JOIN LATERAL (
            SELECT (SELECT count(*) FROM unnest(a.counted) AS t WHERE t > moment - time_window) AS counted,
                   (SELECT count(*) FROM unnest(a.pending) AS t WHERE t > moment - time_window) AS pending,
                   (SELECT min(t) FROM unnest(a.counted) AS t WHERE t > moment - time_window) AS oldest
            FROM attempts AS a WHERE a.namespace = of_namespace AND a.key = b.key
        ) AS a ON true
    ), before AS (
        SELECT budget.*,
               budget.counted + budget.pending >= allowed
                   AND (NOT budget.delays OR budget.pending >= allowed) AS refuses,
               budget.counted + budget.pending >= allowed AND budget.delays AS is_delayed
        FROM budget
    ), decided AS (
        SELECT bool_or(refuses) AS refuses, bool_or(is_delayed) AS delays FROM before
    ), after AS (
        SELECT before.refuses, before.allowed,
               before.counted + (NOT decided.refuses AND NOT before.pends)::int AS counted,
               before.pending + (NOT decided.refuses AND before.pends)::int AS pending,
               CASE WHEN decided.refuses OR before.pends THEN before.oldest ELSE coalesce(before.oldest, moment) END AS oldest
        FROM before CROSS JOIN decided
    ), places AS (
        SELECT after.refuses, greatest(allowed - counted - pending, 0) AS remaining,
               CASE WHEN counted + pending >= allowed AND counted < allowed THEN pending_reset
                    ELSE coalesce(oldest + time_window - moment, 0) END AS reset
        FROM after
    )
    SELECT decided.refuses, decided.delays AND NOT decided.refuses, places.remaining, places.reset
    INTO refused, delayed, remaining, reset
    FROM decided CROSS JOIN places
    ORDER BY places.refuses DESC, places.remaining, places.reset DESC LIMIT 1;

    IF NOT refused THEN
        began_at := moment;
        UPDATE attempts AS a SET
            counted = ARRAY(SELECT t FROM unnest(a.counted) AS t WHERE t > moment - time_window)
                || CASE WHEN b.pends THEN '{}' ELSE ARRAY[moment] END,
            pending = ARRAY(SELECT t FROM unnest(a.pending) AS t WHERE t > moment - time_window)
                || CASE WHEN b.pends THEN ARRAY[moment] ELSE '{}' END,
            expires_at = moment + time_window
        FROM unnest(keys, pends) AS b (key, pends)
        WHERE a.namespace = of_namespace AND a.key = b.key;
    END IF;
END $$;

-- The array without one of the elements with this value.
CREATE FUNCTION without_one(times bigint[], value bigint) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(times[:array_position(times, value) - 1] || times[array_position(times, value) + 1:], times)
$$;
