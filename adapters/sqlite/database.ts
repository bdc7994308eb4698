/**
 * The file: whether it is ours, its format, who may use it, and how durable a commit is. What is in
 * the tables is rows.ts.
 */
import { DatabaseSync } from 'node:sqlite';

/**
 * When a write counts as done. `disk`: it survives a loss of power. `process`: it survives any end
 * of the process, but the system may lose the last of them; for tests and benchmarks on slow disks.
 */
export type Durability = 'disk' | 'process';

/** The file can't be used as it is. The message says why and what to do. */
export class StoreFileUnusable extends Error {
  override readonly name = 'StoreFileUnusable';
}

/** "NULP", where SQLite files say which application they belong to. */
const APPLICATION_ID = 0x4e554c50;

/** Raised with each change of the tables that older releases would not understand. */
const FORMAT = 1;

/**
 * Five typical pods fit in a page; with smaller pages a burst of them takes up to twice as long.
 */
const PAGE_BYTES = 16_384;

/**
 * How far the log grows before it is copied into the file: large, since each copy waits for the
 * disk.
 */
const CHECKPOINT_PAGES = 2048;

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/**
 * Invariant: a state is kept while it is an object's current one, or a kept change leads to it or
 * from it. A deletion has a state of its own, under its own version. Versions are unique over all
 * resources.
 */
const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE states (version INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
  CREATE TABLE objects (
    resource TEXT, namespace TEXT, name TEXT, version INTEGER NOT NULL,
    PRIMARY KEY (resource, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE index_entries (
    resource TEXT, index_name TEXT, value TEXT, namespace TEXT, name TEXT,
    PRIMARY KEY (resource, index_name, value, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE changes (
    resource TEXT, version INTEGER, namespace TEXT NOT NULL,
    previous INTEGER, is_deletion INTEGER NOT NULL,
    PRIMARY KEY (resource, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE floors (resource TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Opens the file, or makes it, for this process alone. Throws `StoreFileUnusable`. */
export function openDatabase(
  path: string,
  durability: Durability,
  firstVersion: number,
): DatabaseSync {
  const db = connect(path);
  try {
    // Before anything is read: from then on no other process gets in, and none is let in until this
    // one ends.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const isNew = checkFile(db, path);
    configure(db, durability);
    db.exec('BEGIN EXCLUSIVE');
    if (isNew) create(db, firstVersion);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db.close();
    throw explained(error, path);
  }
}

function connect(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw explained(error, path);
  }
}

/** Whether the file is new. It writes nothing, so that a file of somebody else stays as it is. */
function checkFile(db: DatabaseSync, path: string): boolean {
  const applicationId = pragma(db, 'application_id');
  const format = pragma(db, 'user_version');
  const hasTables = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
  if (applicationId === 0 && format === 0 && !hasTables) return true;
  if (applicationId !== APPLICATION_ID) {
    throw new StoreFileUnusable(`${path} is a database of another application: name another file`);
  }
  if (format > FORMAT) {
    const formats = `format ${format}, this one knows ${FORMAT}`;
    throw new StoreFileUnusable(`${path} was written by a newer release (${formats}): upgrade`);
  }
  return false;
}

function configure(db: DatabaseSync, durability: Durability): void {
  db.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${CHECKPOINT_PAGES * PAGE_BYTES};
  `);
}

function create(db: DatabaseSync, firstVersion: number): void {
  db.exec(TABLES);
  db.prepare("INSERT INTO meta VALUES ('first_version', ?)").run(firstVersion);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}`);
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

function explained(error: unknown, path: string): Error {
  if (error instanceof StoreFileUnusable) return error;
  const code = (error as { errcode?: number }).errcode;
  const reason =
    code === SQLITE_BUSY
      ? 'is in use by another process: end that one first, or name another file'
      : code === SQLITE_NOTADB
        ? 'is not a database: name another file'
        : `can't be opened (${error instanceof Error ? error.message : String(error)})`;
  return new StoreFileUnusable(`${path} ${reason}`, { cause: error });
}
