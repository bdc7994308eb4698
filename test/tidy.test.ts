/**
 * The style rules as a test: layers, ambient state, sizes, cycles. A ratchet: mend the code, not
 * the number.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SOURCE_FOLDERS = [
  'shared',
  'adapters',
  'lambdas',
  'local',
  'cli',
  'infra',
  'web',
  'bench',
  'test',
  'scripts',
];

const MAX_FUNCTION_LINES = 70;
const MAX_FILE_LINES = 500;
const MAX_COLUMNS = 100;
const MAX_PORT_LINES = 130;

/**
 * What each layer may import of ours. Longest prefix wins; `lambdas/x` never imports `lambdas/y`.
 */
const LAYERS: readonly { from: string; may: readonly string[] }[] = [
  { from: 'shared/api', may: ['shared/api'] },
  { from: 'shared/ports', may: ['shared/api', 'shared/ports'] },
  { from: 'shared/core', may: ['shared/api', 'shared/core'] },
  { from: 'shared/control', may: ['shared'] },
  ...['aws', 'node', 'memory', 'sqlite', 'docker'].map((name) => ({
    from: `adapters/${name}`,
    may: ['shared/api', 'shared/ports', `adapters/${name}`],
  })),
  { from: 'lambdas/_kit', may: ['shared', 'adapters/aws', 'adapters/node', 'lambdas/_kit'] },
  ...['api', 'router', 'reconciler', 'scheduler', 'health'].map((name) => ({
    from: `lambdas/${name}`,
    may: ['shared', 'adapters/aws', 'adapters/node', 'lambdas/_kit', `lambdas/${name}`],
  })),
  {
    from: 'local',
    may: [
      'shared',
      'local',
      'adapters/node',
      'adapters/memory',
      'adapters/sqlite',
      'adapters/docker',
    ],
  },
  { from: 'cli', may: ['shared', 'adapters/aws', 'adapters/node', 'cli'] },
  {
    from: 'infra',
    may: ['infra', 'shared/api/names.ts', 'shared/api/node-images.ts', 'shared/api/instance.ts'],
  },
  { from: 'web', may: ['web', 'shared/api'] },
];

/** Packages and built-ins that a folder may use; folders that are not named may use any. */
const PACKAGES: readonly { from: string; may: RegExp }[] = [
  { from: 'shared/control/apiserver', may: /^yaml$/ },
  { from: 'shared', may: /^$/ },
  { from: 'adapters/memory', may: /^$/ },
];

const AMBIENT: readonly { pattern: RegExp; instead: string }[] = [
  { pattern: /\bDate\.now\s*\(/, instead: 'take nowMs, or the Clock port' },
  { pattern: /\bnew Date\(\s*\)/, instead: 'take nowMs, or the Clock port' },
  { pattern: /\bMath\.random\b/, instead: 'the Ids port' },
  { pattern: /\brandomUUID\b/, instead: 'the Ids port' },
  { pattern: /\bset(Timeout|Interval|Immediate)\s*\(/, instead: 'the Clock port' },
  { pattern: /\bprocess\./, instead: 'a parameter, set at the entry point' },
  { pattern: /\bconsole\./, instead: 'the Recorder port' },
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly specifier: string; readonly typeOnly: boolean }[];
  readonly tree: ts.SourceFile;
}

function listFiles(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true });
  } catch {
    return []; // a folder that is yet to come
  }
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules'));
}

function parse(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = tree.statements.flatMap((statement) => {
    const importing = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
    if (!importing || !statement.moduleSpecifier) return [];
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : undefined;
    const typeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return [{ specifier, typeOnly }];
  });
  return { path, text, imports, tree };
}

const FILES = SOURCE_FOLDERS.flatMap(listFiles).map(parse);
const PRODUCT = FILES.filter(({ path }) => !path.startsWith('test/'));

function inFolder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function resolveImport(file: SourceFile, specifier: string): string {
  return normalize(join(dirname(file.path), specifier));
}

function longestPrefix<T extends { from: string }>(
  rules: readonly T[],
  path: string,
): T | undefined {
  return rules
    .filter((rule) => inFolder(path, rule.from))
    .sort((a, b) => b.from.length - a.from.length)[0];
}

function* functionsOf(tree: ts.SourceFile): Generator<{ name: string; lines: number }> {
  const stack: ts.Node[] = [tree];
  for (let node = stack.pop(); node; node = stack.pop()) {
    ts.forEachChild(node, (child) => void stack.push(child));
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) continue;
    const start = tree.getLineAndCharacterOfPosition(node.getStart()).line;
    const end = tree.getLineAndCharacterOfPosition(node.end).line;
    yield {
      name: (node.name as ts.Identifier | undefined)?.text ?? '(anonymous)',
      lines: end - start + 1,
    };
  }
}

describe('layers', () => {
  it('imports go down only', () => {
    const wrong = PRODUCT.flatMap((file) => {
      const rule = longestPrefix(LAYERS, file.path);
      if (!rule) return [];
      return file.imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => resolveImport(file, specifier))
        .filter((target) => !rule.may.some((folder) => inFolder(target, folder)))
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('packages are used only where they belong', () => {
    const wrong = PRODUCT.flatMap((file) => {
      const rule = longestPrefix(PACKAGES, file.path);
      return file.imports
        .filter(({ specifier }) => !specifier.startsWith('.'))
        .filter(({ specifier }) => {
          if (/^@(aws-sdk|smithy|aws-crypto)\//.test(specifier)) {
            return !inFolder(file.path, 'adapters/aws');
          }
          return rule !== undefined && !rule.may.test(specifier);
        })
        .map(({ specifier }) => `${file.path} imports ${specifier}`);
    });
    expect(wrong).toEqual([]);
  });

  it('no module imports itself by way of others at run time', () => {
    const graph = new Map(
      FILES.map((file) => [
        file.path,
        file.imports
          .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
          .map(({ specifier }) => resolveImport(file, specifier)),
      ]),
    );
    expect(findCycle(graph)).toBeUndefined();
  });
});

/** Depth-first search; the first cycle found, as a path, or undefined. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const target of graph.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe('ambient state', () => {
  it('is not reached for in shared code', () => {
    const wrong = FILES.filter(({ path }) => inFolder(path, 'shared')).flatMap((file) =>
      withoutComments(file).flatMap((line, index) =>
        AMBIENT.filter(({ pattern }) => pattern.test(line)).map(
          ({ instead }) => `${file.path}:${index + 1} ${line.trim()} (instead: ${instead})`,
        ),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('tests mock no modules', () => {
    const wrong = FILES.filter(({ path, text }) => {
      return path !== 'test/tidy.test.ts' && /\b(vi|jest)\.(mock|doMock)\(/.test(text);
    });
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

function withoutComments({ text }: SourceFile): string[] {
  const blanked = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  return blanked.split('\n').map((line) => line.replace(/(^|\s)\/\/.*$/, ''));
}

describe('size budget', () => {
  it('files stay within their lines', () => {
    const wrong = FILES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ path, lines }) => {
        return lines > (inFolder(path, 'shared/ports') ? MAX_PORT_LINES : MAX_FILE_LINES);
      })
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(wrong).toEqual([]);
  });

  it('functions stay within their lines', () => {
    const wrong = PRODUCT.flatMap((file) =>
      [...functionsOf(file.tree)]
        .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
        .map(({ name, lines }) => `${file.path}: ${name} has ${lines} lines`),
    );
    expect(wrong).toEqual([]);
  });

  it('lines stay within their columns', () => {
    const wrong = FILES.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (line.length > MAX_COLUMNS ? [`${path}:${index + 1}`] : [])),
    );
    expect(wrong).toEqual([]);
  });
});
