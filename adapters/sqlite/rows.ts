/**
 * The rows of the tables, by prepared statements. Nothing here decides: it reads and writes what it
 * is told, inside the transaction of its caller.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change } from '../../shared/api/change.ts';
import { INDEX_NAMES, type IndexName, indexValues, keyOf } from '../../shared/api/change.ts';
import type { AnyObject, ObjectKey, ResourceName } from '../../shared/api/meta.ts';
import { positionKey } from '../../shared/ports/store-kit.ts';
import type { ListQuery } from '../../shared/ports/store.ts';

/** A change as its row says: versions stand for states. */
export interface ChangeRow {
  readonly version: number;
  readonly previous: number | undefined;
  readonly isDeletion: boolean;
}

/** What is kept of a resource's changes. */
export interface LogExtent {
  readonly resource: ResourceName;
  readonly count: number;
  readonly newest: number;
}

type Value = string | number | null;

/** SQLite's way to say that there is no limit. */
const NO_LIMIT = -1;

export class Rows {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Runs the work in one transaction, which is undone when it throws. */
  transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  firstVersion(): number {
    const [row] = this.#all("SELECT value FROM meta WHERE name = 'first_version'");
    return row?.[0] as number;
  }

  logs(): LogExtent[] {
    const rows = this.#all(
      'SELECT resource, count(*), max(version) FROM changes GROUP BY resource',
    );
    return rows.map(([resource, count, newest]) => {
      return { resource: resource as string, count: count as number, newest: newest as number };
    });
  }

  floors(): Map<ResourceName, number> {
    return new Map(this.#all('SELECT resource, version FROM floors') as [string, number][]);
  }

  currentVersion({ resource, namespace, name }: ObjectKey): number | undefined {
    const sql = 'SELECT version FROM objects WHERE resource = ? AND namespace = ? AND name = ?';
    return this.#all(sql, resource, namespace, name)[0]?.[0] as number | undefined;
  }

  json(version: number): string {
    const [row] = this.#all('SELECT json FROM states WHERE version = ?', version);
    if (!row) throw new Error(`the file lacks the state of version ${version}`);
    return row[0] as string;
  }

  /** The versions of the objects that a query asks for, in its order, and not more than `limit`. */
  versions(query: ListQuery, limit: number | undefined): number[] {
    const from = query.index
      ? `index_entries AS k CROSS JOIN objects AS o
         ON o.resource = k.resource AND o.namespace = k.namespace AND o.name = k.name`
      : 'objects AS k';
    const where = ['k.resource = ?'];
    const values: Value[] = [query.resource];
    if (query.index) {
      where.push('k.index_name = ? AND k.value = ?');
      values.push(query.index.name, query.index.value);
    }
    if (query.namespace !== undefined) {
      where.push('k.namespace = ?');
      values.push(query.namespace);
    }
    const after = positionKey(query.after ?? '');
    where.push('(k.namespace, k.name) > (?, ?)');
    values.push(after.namespace, after.name, limit ?? NO_LIMIT);
    const sql = `SELECT version FROM ${from} WHERE ${where.join(' AND ')}
      ORDER BY k.namespace, k.name LIMIT ?`;
    return this.#all(sql, ...values).map((row) => row[0] as number);
  }

  changes(
    resource: ResourceName,
    namespace: string | undefined,
    after: number,
    limit: number | undefined,
  ): ChangeRow[] {
    const inNamespace = namespace === undefined ? '' : 'AND namespace = ?';
    const rows = this.#all(
      `SELECT version, previous, is_deletion FROM changes
       WHERE resource = ? AND version > ? ${inNamespace} ORDER BY version LIMIT ?`,
      ...[resource, after, ...(namespace === undefined ? [] : [namespace]), limit ?? NO_LIMIT],
    );
    return rows.map(([version, previous, isDeletion]) => {
      return {
        version: version as number,
        previous: (previous as number | null) ?? undefined,
        isDeletion: isDeletion === 1,
      };
    });
  }

  /**
   * Writes a change: its state, its row in the log, the object's row, and the entries of the
   * indexes.
   */
  write({ type, resource, object, previous }: Change, json: string): void {
    const { namespace, name } = keyOf(resource, object);
    const version = Number(object.metadata.resourceVersion);
    const before = previous ? Number(previous.metadata.resourceVersion) : null;
    const isDeletion = type === 'delete' ? 1 : 0;
    const key = [resource, namespace, name] as const;
    this.#run('INSERT INTO states VALUES (?, ?)', version, json);
    this.#run(
      'INSERT INTO changes VALUES (?, ?, ?, ?, ?)',
      ...[resource, version, namespace, before, isDeletion],
    );
    if (isDeletion) {
      this.#run('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?', ...key);
    } else {
      this.#run(
        `INSERT INTO objects VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET version = excluded.version`,
        ...[...key, version],
      );
    }
    this.#writeIndexes(key, resource, previous, isDeletion ? undefined : object);
  }

  #writeIndexes(
    key: readonly [ResourceName, string, string],
    resource: ResourceName,
    before: AnyObject | undefined,
    after: AnyObject | undefined,
  ): void {
    const [, namespace, name] = key;
    for (const index of INDEX_NAMES) {
      const old = valuesOf(index, resource, before);
      const wanted = valuesOf(index, resource, after);
      for (const value of old) {
        if (wanted.has(value)) continue;
        this.#run(
          `DELETE FROM index_entries
           WHERE resource = ? AND index_name = ? AND value = ? AND namespace = ? AND name = ?`,
          ...[resource, index, value, namespace, name],
        );
      }
      for (const value of wanted) {
        if (old.has(value)) continue;
        const row = [resource, index, value, namespace, name];
        this.#run('INSERT INTO index_entries VALUES (?, ?, ?, ?, ?)', ...row);
      }
    }
  }

  /**
   * Forgets the oldest changes of a resource, with the states that nothing else needs. Returns the
   * new floor.
   */
  trim(resource: ResourceName, count: number): number {
    const [row] = this.#all(
      'SELECT version FROM changes WHERE resource = ? ORDER BY version LIMIT 1 OFFSET ?',
      ...[resource, count - 1],
    );
    const floor = row?.[0] as number;
    const dropped = 'FROM changes WHERE resource = ? AND version <= ?';
    // A state that a dropped change led away from: the change that led to it is older, and dropped
    // too.
    this.#run(
      `DELETE FROM states WHERE version IN (SELECT previous ${dropped} AND previous NOT NULL)`,
      ...[resource, floor],
    );
    this.#run(
      `DELETE FROM states WHERE version IN (SELECT version ${dropped} AND is_deletion)`,
      ...[resource, floor],
    );
    this.#run(`DELETE ${dropped}`, resource, floor);
    this.#run(
      'INSERT INTO floors VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
      ...[resource, floor],
    );
    return floor;
  }

  close(): void {
    this.#db.close();
  }

  #run(sql: string, ...values: Value[]): void {
    this.#statement(sql).run(...values);
  }

  #all(sql: string, ...values: Value[]): Value[][] {
    return this.#statement(sql).all(...values) as unknown as Value[][];
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function valuesOf(
  index: IndexName,
  resource: ResourceName,
  object: AnyObject | undefined,
): Set<string> {
  return new Set(object ? indexValues(index, resource, object) : []);
}
