/** The query parameters of writes. Owns their names, values and complaints. */
import type { FieldValidation } from '../../api/decode.ts';
import { badRequest, invalidRequest } from '../../api/errors.ts';
import type { Context } from './context.ts';
import { isTrue } from './routes.ts';

export interface WriteOptions {
  /** Everything is done but the write. */
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Who is said to own the fields that are written. */
  readonly fieldManager: string;
  /** Server-side apply takes over the fields of others. */
  readonly force: boolean;
}

const MAX_MANAGER_LENGTH = 128;
const UNKNOWN_MANAGER = 'unknown';

export function writeOptions({ request }: Context): WriteOptions {
  const { query, headers } = request;
  return {
    dryRun: dryRunParameter(query.getAll('dryRun')),
    fieldValidation: fieldValidationParameter(query.get('fieldValidation') ?? ''),
    fieldManager: managerParameter(query.get('fieldManager') ?? '', headers['user-agent'] ?? ''),
    force: isTrue(query.get('force')),
  };
}

/** All or nothing; a dry run that is not understood must not become a write. */
export function dryRunParameter(given: readonly string[]): boolean {
  for (const value of given) {
    if (value === 'All' || value === '') continue;
    const text = JSON.stringify(value);
    throw invalidRequest(`dryRun: Unsupported value: ${text}: supported values: "All"`);
  }
  return given.includes('All');
}

function fieldValidationParameter(given: string): FieldValidation {
  if (given === '') return 'Warn';
  if (given === 'Strict' || given === 'Warn' || given === 'Ignore') return given;
  throw invalidRequest(
    `fieldValidation: Unsupported value: ${JSON.stringify(given)}: ` +
      'supported values: "Ignore", "Strict", "Warn"',
  );
}

/** Without a name, the program that speaks: `kubectl/v1.33.1 (linux/amd64)` is `kubectl`. */
function managerParameter(given: string, userAgent: string): string {
  if (given.length > MAX_MANAGER_LENGTH) {
    throw invalidRequest(
      `fieldManager: Too long: may not be more than ${MAX_MANAGER_LENGTH} bytes`,
    );
  }
  if (!isPrintable(given)) {
    throw invalidRequest(
      `fieldManager: Invalid value: ${JSON.stringify(given)}: should only contain printable ` +
        'characters',
    );
  }
  if (given) return given;
  const program = (userAgent.split('/')[0] ?? '').slice(0, MAX_MANAGER_LENGTH);
  return program && isPrintable(program) ? program : UNKNOWN_MANAGER;
}

function isPrintable(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}

/** A whole number in a query, such as gracePeriodSeconds. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null || given === '') return undefined;
  if (/^-?[0-9]{1,12}$/.test(given)) return Number(given);
  throw badRequest(`invalid ${name}: ${JSON.stringify(given)} is not a whole number`);
}
