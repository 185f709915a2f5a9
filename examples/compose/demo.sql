-- Data to look at: two tables, made once, and a change every second until somebody ends it.
CREATE TABLE IF NOT EXISTS projects (
  id integer PRIMARY KEY,
  name text NOT NULL,
  active boolean NOT NULL DEFAULT true
);

CREATE TABLE IF NOT EXISTS issues (
  id integer PRIMARY KEY,
  project_id integer NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  title text NOT NULL,
  status text NOT NULL DEFAULT 'open',
  priority integer NOT NULL DEFAULT 3,
  updated_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO projects (id, name, active)
SELECT n, 'Project ' || n, n % 3 <> 0 FROM generate_series(1, 12) AS n
ON CONFLICT DO NOTHING;

INSERT INTO issues (id, project_id, title, status, priority)
SELECT n, 1 + n % 12, 'Issue ' || n, (ARRAY['open', 'started', 'done'])[1 + n % 3], 1 + n % 5 FROM generate_series(1, 360) AS n
ON CONFLICT DO NOTHING;

-- A transaction for each change, which a statement of its own may commit.
DO $$
BEGIN
  LOOP
    UPDATE issues
    SET status = (ARRAY['open', 'started', 'done'])[1 + floor(random() * 3)::int], priority = 1 + floor(random() * 5)::int, updated_at = now()
    WHERE id = (SELECT 1 + floor(random() * 360)::int);
    COMMIT;
    PERFORM pg_sleep(1);
  END LOOP;
END $$;
