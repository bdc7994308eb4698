/** Scenarios as text: a command a line, comments, and here-documents for manifests. */

export type Line =
  | { readonly type: 'comment'; readonly text: string }
  | {
      readonly type: 'command';
      /** As written, here-document included. */
      readonly text: string;
      readonly words: readonly string[];
      readonly document?: string;
    };

export function parseScript(text: string): readonly Line[] {
  const rows = text.trimEnd().split('\n');
  const lines: Line[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? '';
    if (row.trim() === '' || row.startsWith('#')) {
      lines.push({ type: 'comment', text: row });
      continue;
    }
    const marker = /<<(\w+)$/.exec(row)?.[1];
    if (marker === undefined) {
      lines.push({ type: 'command', text: row, words: wordsOf(row) });
      continue;
    }
    const end = rows.indexOf(marker, i);
    if (end < 0) throw new Error(`no end of the here-document of: ${row}`);
    const document = rows.slice(i + 1, end).join('\n');
    const words = wordsOf(row.slice(0, -marker.length - 2));
    lines.push({ type: 'command', text: rows.slice(i, end + 1).join('\n'), words, document });
    i = end;
  }
  return lines;
}

/** Words are separated by blanks; single quotes keep them together. */
function wordsOf(row: string): readonly string[] {
  return [...row.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** `90s`, `5m`, `1h` as milliseconds. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new Error(`not a duration: ${text}`);
  return Number(match[1]) * unit;
}
