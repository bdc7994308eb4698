/**
 * The pods as kubectl would print them, again whenever they change: drawn over the last one on a
 * terminal, one block after the other where output is a file.
 */
import type { ApiClient } from './client.ts';

const PODS = '/api/v1/namespaces/default/pods';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** How often the table is looked at: as fast as people read. */
const REFRESH_MS = 100;

const ERASE_LINE_ABOVE = '\u001b[1A\u001b[2K';

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

export class LiveTable {
  readonly #client: ApiClient;
  readonly #out: NodeJS.WriteStream;
  #drawnLines = 0;
  #last = '';

  constructor(client: ApiClient, out: NodeJS.WriteStream) {
    this.#client = client;
    this.#out = out;
  }

  /** Draws until `holds`. Throws an Error after `timeoutMs`, with the table as it was last. */
  async until(timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
    this.#drawnLines = 0;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const done = await holds();
      await this.#draw();
      if (done) return;
      if (performance.now() > deadline) {
        throw new Error(`not reached within ${timeoutMs / 1000} s; the pods are shown above`);
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    }
  }

  async #draw(): Promise<void> {
    const table = await this.#client.json<Table>('GET', PODS, undefined, undefined, TABLE);
    const text = render(table);
    if (text === this.#last && this.#drawnLines > 0) return;
    if (this.#out.isTTY) this.#out.write(ERASE_LINE_ABOVE.repeat(this.#drawnLines));
    else if (withoutAges(text) === withoutAges(this.#last)) return;
    this.#last = text;
    this.#out.write(text);
    this.#drawnLines = text.split('\n').length - 1;
  }
}

function render({ columnDefinitions, rows }: Table): string {
  const shown = columnDefinitions.flatMap(({ priority }, i) => (priority === 0 ? [i] : []));
  const lines = [columnDefinitions.map(({ name }) => name.toUpperCase()), ...rows.map(cellTexts)];
  const widths = shown.map((i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) => shown.map((i, n) => (line[i] ?? '').padEnd(widths[n] ?? 0)).join('   '))
    .map((line) => `   ${line.trimEnd()}\n`)
    .join('');
}

function cellTexts({ cells }: { readonly cells: readonly unknown[] }): string[] {
  return cells.map(String);
}

/** Ages alone are no news where a table can't be drawn over. */
function withoutAges(text: string): string {
  return text.replace(/\b\d+[smhd]\b/g, '').replace(/ +/g, ' ');
}
