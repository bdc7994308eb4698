/**
 * What is only played on disk, so that simulated tasks and machines live through a restart of the
 * process as real ones do.
 */
import { DatabaseSync } from 'node:sqlite';

export interface Journal<Record> {
  load(): readonly Record[];
  put(id: string, record: Record): void;
  remove(id: string): void;
  close(): void;
}

/**
 * A journal in one file. Losing its last moments to a power cut is harmless: what they tell of is
 * lost then, too.
 */
export function openJournal<Record>(path: string): Journal<Record> {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  db.exec('CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, record TEXT NOT NULL)');
  const all = db.prepare('SELECT record FROM records');
  const put = db.prepare('INSERT OR REPLACE INTO records (id, record) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM records WHERE id = ?');
  return {
    load: () => all.all().map((row) => JSON.parse(String(row.record)) as Record),
    put: (id, record) => void put.run(id, JSON.stringify(record)),
    remove: (id) => void remove.run(id),
    close: () => db.close(),
  };
}
