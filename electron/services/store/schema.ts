/** The tables of project.db, and how an older file becomes a new one. A migration, once released, is never edited. */
import type { Db } from './db.ts';

/** "Bxwr" as SQLite's application id: tells a project from any other database. */
export const applicationId = 0x42787772;

export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- AUTOINCREMENT: the id of a removed class is never given to another one.
  CREATE TABLE classes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (name <> ''),
    color TEXT NOT NULL,
    position INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
  ) STRICT;

  -- relative_path: from the project folder, so that both can be moved together. absolute_path: where the folder was when last seen,
  -- so that the project alone can be moved; null where it lies inside the project.
  CREATE TABLE roots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    relative_path TEXT,
    absolute_path TEXT,
    CHECK (relative_path IS NOT NULL OR absolute_path IS NOT NULL)
  ) STRICT;

  CREATE TABLE images (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    root_id INTEGER NOT NULL REFERENCES roots (id),
    relative_path TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    width_px INTEGER NOT NULL CHECK (width_px > 0),
    height_px INTEGER NOT NULL CHECK (height_px > 0),
    state TEXT NOT NULL DEFAULT 'unlabelled'
      CHECK (state IN ('unlabelled', 'in-progress', 'reviewed', 'reviewed-empty')),
    split TEXT CHECK (split IN ('train', 'val', 'test')),
    missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
    label_count INTEGER NOT NULL DEFAULT 0 CHECK (label_count >= 0),
    proposal_count INTEGER NOT NULL DEFAULT 0 CHECK (proposal_count >= 0),
    UNIQUE (root_id, relative_path)
  ) STRICT;
  CREATE INDEX images_by_hash ON images (content_hash);

  CREATE TABLE boxes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    image_seq INTEGER NOT NULL REFERENCES images (seq),
    class_id INTEGER NOT NULL REFERENCES classes (id),
    x1 REAL NOT NULL CHECK (x1 >= 0),
    y1 REAL NOT NULL CHECK (y1 >= 0),
    x2 REAL NOT NULL CHECK (x2 > x1),
    y2 REAL NOT NULL CHECK (y2 > y1),
    status TEXT NOT NULL CHECK (status IN ('label', 'proposal')),
    origin TEXT NOT NULL CHECK (origin IN ('person', 'model')),
    score REAL CHECK (score BETWEEN 0 AND 1),
    run_id TEXT,
    is_ignore INTEGER NOT NULL CHECK (is_ignore IN (0, 1)),
    is_difficult INTEGER NOT NULL CHECK (is_difficult IN (0, 1)),
    is_occluded INTEGER NOT NULL CHECK (is_occluded IN (0, 1)),
    is_truncated INTEGER NOT NULL CHECK (is_truncated IN (0, 1))
  ) STRICT;
  CREATE INDEX boxes_by_image ON boxes (image_seq);
  CREATE INDEX boxes_by_class ON boxes (class_id);

  -- The journal: reversible diffs, one row an edit. undone = 1: the tail that redo would bring back.
  CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_seq INTEGER NOT NULL REFERENCES images (seq),
    label TEXT NOT NULL,
    diff TEXT NOT NULL,
    at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1))
  ) STRICT;
  CREATE INDEX edits_by_image ON edits (image_seq, undone, id);

  CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'stopped', 'done', 'failed', 'interrupted')),
    config TEXT NOT NULL,
    class_ids TEXT NOT NULL,
    class_names TEXT NOT NULL,
    step INTEGER NOT NULL DEFAULT 0,
    checkpoint_step INTEGER,
    ap50 REAL,
    problem TEXT
  ) STRICT;
  `,
];

/** Brings the file to the newest version, or leaves it as it was. */
export function migrate(db: Db, steps: readonly string[] = migrations): void {
  db.transaction(() => {
    const from = Number(db.pragma('user_version'));
    for (const step of steps.slice(from)) db.exec(step);
    if (from < steps.length) {
      db.exec(`PRAGMA application_id=${applicationId}`);
      db.exec(`PRAGMA user_version=${steps.length}`);
    }
  });
}
