/**
 * What names, keys and values may look like, and at the end the names in the table on AWS. Each
 * check answers with the complaints that Kubernetes has, or with none. Length comes first and every
 * expression is linear, so that hostile text costs nothing.
 */

/** Complaints about a text; empty when it is well formed. */
export type Complaints = readonly string[];

export const MAX_LABEL_LENGTH = 63;
export const MAX_SUBDOMAIN_LENGTH = 253;
export const MAX_PORT_NAME_LENGTH = 15;
/** Of all keys and values of an object's annotations together. */
export const MAX_ANNOTATIONS_BYTES = 256 * 1024;

const OK: Complaints = [];

const WORD = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const NAME_PART = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const hint = (examples: readonly string[], expression: string) =>
  `(e.g. ${examples.map((e) => `'${e}'`).join(',  or ')}, ` +
  `regex used for validation is '${expression}')`;

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
  'and must start and end with an alphanumeric character ' +
  hint(['my-name', '123-abc'], WORD);
const SUBDOMAIN_RULE =
  'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, ' +
  "'-' or '.', and must start and end with an alphanumeric character " +
  hint(['example.com'], `${WORD}(\\.${WORD})*`);
const DNS_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an " +
  'alphabetic character, and end with an alphanumeric character ' +
  hint(['my-name', 'abc-123'], DNS_1035);
const NAME_PART_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
  'alphanumeric character ' +
  hint(['MyName', 'my.name', '123-abc'], NAME_PART);
const QUALIFIED_RULE =
  "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start " +
  'and end with an alphanumeric character ' +
  hint(['MyName', 'my.name', '123-abc'], NAME_PART) +
  " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL_VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
  'and must start and end with an alphanumeric character ' +
  hint(['MyValue', 'my_value', '12345'], `(${NAME_PART})?`);
const CONFIG_KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
  hint(['key.name', 'KEY_NAME', 'key-name'], '[-._a-zA-Z0-9]+');
const ENV_NAME_RULE =
  'a valid environment variable name must consist only of printable ASCII characters ' +
  "other than '='";

/** A name of lower-case letters, digits and dashes: namespaces, containers, volumes. */
export function dns1123Label(text: string): Complaints {
  return worded(text, MAX_LABEL_LENGTH, isDns1123Label, LABEL_RULE);
}

/** Labels with dots between them: the names of most kinds. */
export function dns1123Subdomain(text: string): Complaints {
  return worded(text, MAX_SUBDOMAIN_LENGTH, (t) => t.split('.').every(isWord), SUBDOMAIN_RULE);
}

/** A label that starts with a letter: the names of services. */
export function dns1035Label(text: string): Complaints {
  const fits = (t: string) => isWord(t) && !isDigit(t.charCodeAt(0));
  return worded(text, MAX_LABEL_LENGTH, fits, DNS_1035_RULE);
}

/** `prefix/name`: label and annotation keys, finalizers, resources, taints. */
export function qualifiedName(text: string): Complaints {
  const slash = text.indexOf('/');
  if (slash !== text.lastIndexOf('/')) return [QUALIFIED_RULE];
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  return [...prefixComplaints(prefix), ...namePartComplaints(text.slice(slash + 1))];
}

export function labelValue(text: string): Complaints {
  if (text === '') return OK;
  return worded(text, MAX_LABEL_LENGTH, isNamePart, LABEL_VALUE_RULE);
}

/** A key of a ConfigMap or Secret: it becomes the name of a file. */
export function configKey(text: string): Complaints {
  if (text === '.') return ["must not be '.'"];
  if (text === '..') return ["must not be '..'"];
  if (text.startsWith('..')) return ["must not start with '..'"];
  return worded(text, MAX_SUBDOMAIN_LENGTH, (t) => everyCode(t, isNameCode), CONFIG_KEY_RULE);
}

export function envVarName(text: string): Complaints {
  const printable = (code: number) => code >= 0x20 && code < 0x7f && code !== 0x3d;
  return text !== '' && everyCode(text, printable) ? OK : [ENV_NAME_RULE];
}

/** The name of a port: an IANA service name. */
export function portName(text: string): Complaints {
  if (text.length > MAX_PORT_NAME_LENGTH) return [tooLongText(MAX_PORT_NAME_LENGTH)];
  const complaints: string[] = [];
  if (!everyCode(text, isWordCode)) {
    complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (![...text].some((c) => c >= 'a' && c <= 'z')) {
    complaints.push('must contain at least one letter (a-z)');
  }
  if (text.includes('--')) complaints.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) {
    complaints.push('must not begin or end with a hyphen');
  }
  return complaints;
}

/** Whether the text is a DNS-1123 label; for callers that have no use for the complaint. */
export function isDns1123Label(text: string): boolean {
  return text.length <= MAX_LABEL_LENGTH && isWord(text);
}

/** Kubernetes' limit of a generated name, its suffix of five and the dash excluded. */
const MAX_GENERATED_PREFIX_LENGTH = 57;

/** What the names begin with that are generated after an owner of this name. */
export function generatedNamePrefix(ownerName: string): string {
  return `${ownerName.slice(0, MAX_GENERATED_PREFIX_LENGTH)}-`;
}

function prefixComplaints(prefix: string | undefined): Complaints {
  if (prefix === undefined) return OK;
  if (prefix === '') return ['prefix part must be non-empty'];
  return dns1123Subdomain(prefix).map((complaint) => `prefix part ${complaint}`);
}

function namePartComplaints(name: string): Complaints {
  if (name === '') return ['name part must be non-empty'];
  return worded(name, MAX_LABEL_LENGTH, isNamePart, NAME_PART_RULE).map((c) => `name part ${c}`);
}

function worded(
  text: string,
  maxLength: number,
  fits: (text: string) => boolean,
  rule: string,
): Complaints {
  if (text.length > maxLength) return [tooLongText(maxLength)];
  return text !== '' && fits(text) ? OK : [rule];
}

const tooLongText = (maxLength: number) => `must be no more than ${maxLength} bytes`;

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isLower = (code: number) => code >= 0x61 && code <= 0x7a;
const isAlphanumeric = (code: number) =>
  isLower(code) || isDigit(code) || (code >= 0x41 && code <= 0x5a);
/** `-` and what a word is made of. */
const isWordCode = (code: number) => isLower(code) || isDigit(code) || code === 0x2d;
/** `-`, `.`, `_`, letters and digits. */
const isNameCode = (code: number) =>
  isAlphanumeric(code) || code === 0x2d || code === 0x2e || code === 0x5f;

function isWord(text: string): boolean {
  return text !== '' && everyCode(text, isWordCode) && !text.startsWith('-') && !text.endsWith('-');
}

function isNamePart(text: string): boolean {
  return (
    everyCode(text, isNameCode) &&
    isAlphanumeric(text.charCodeAt(0)) &&
    isAlphanumeric(text.charCodeAt(text.length - 1))
  );
}

function everyCode(text: string, test: (code: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!test(text.charCodeAt(i))) return false;
  return true;
}

/**
 * The table of an AWS installation: keys, indexes, stream and time to live, as data for the store
 * that uses it and for the stack that declares it. What the attributes hold is in
 * docs/data-model.md. A change of a key is a new table.
 */
export const TABLE = {
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'S' },
  timeToLiveAttribute: 'ttl',
  streamView: 'NEW_AND_OLD_IMAGES',
  /** Objects and tombstones have it; what else is in the table has not. */
  objectAttribute: { name: 'born', type: 'N' },
  globalIndexes: [
    {
      name: 'owner',
      partitionKey: { name: 'owner', type: 'S' },
      sortKey: { name: 'sk', type: 'S' },
      projection: 'KEYS_ONLY',
    },
    {
      name: 'node',
      partitionKey: { name: 'node', type: 'S' },
      sortKey: { name: 'sk', type: 'S' },
      projection: 'KEYS_ONLY',
    },
  ],
} as const;
