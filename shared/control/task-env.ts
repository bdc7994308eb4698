/**
 * The variables of a container: literal, out of ConfigMaps and Secrets, out of the pod itself; and
 * the expansion of `$(NAME)` in values, commands and arguments.
 *
 * A sealed Secret's value is not known here: the variable names where it is, and what would have to
 * hold it, or can't be told in one part, is rejected in words that say what to do instead. Leaving
 * `$(NAME)` as it stands would start a program with a wrong setting.
 */
import type { Container, EnvVar } from '../api/kinds/container.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { SecretFileRef, TaskVariable } from '../api/task.ts';
import { amountOf } from '../core/pod/requests.ts';
import type { ConfigResource } from '../core/pod/references.ts';
import { TaskRejected } from '../ports/runtime.ts';
import { type ConfigValue, type PodConfig, textOf } from './pod-config.ts';

export interface Environment {
  readonly variables: readonly TaskVariable[];
  /**
   * The text with each `$(NAME)` replaced, if there is such a variable. `$$(NAME)` stays `$(NAME)`.
   * Throws `TaskRejected` where the value is a sealed Secret's.
   */
  expand(text: string): string;
}

/** A variable's text, or where a sealed Secret has it. */
type Known =
  | { readonly text: string; readonly sealed?: undefined }
  | { readonly sealed: SecretFileRef; readonly from: string };

/**
 * What names of variables taken from whole objects may be; others are left out, as in Kubernetes.
 */
const VARIABLE_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/** Throws `TaskRejected`. */
export function environment(pod: Pod, container: Container, config: PodConfig): Environment {
  const values = new Map<string, Known>();
  const expand = (text: string) => expanded(text, values, container.name);
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of wholeObject(source, config)) {
      const name = (source.prefix ?? '') + key;
      if (VARIABLE_NAME.test(name)) values.set(name, value);
    }
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(pod, container, variable, config, expand);
    if (value === undefined) continue;
    values.delete(variable.name); // a variable that is set again takes its later place
    values.set(variable.name, value);
  }
  const variables = [...values].map(([name, known]) => variableOf(name, known, container.name));
  return { variables, expand };
}

function wholeObject(
  source: NonNullable<Container['envFrom']>[number],
  config: PodConfig,
): readonly (readonly [string, Known])[] {
  const name = source.secretRef?.name ?? source.configMapRef?.name ?? '';
  const resource = source.secretRef ? 'secrets' : 'configmaps';
  return (config.keysOf(resource, name) ?? []).map((key) => [
    key,
    knownOf(config.value(resource, name, key), resource, name, key),
  ]);
}

function knownOf(
  value: ConfigValue | undefined,
  resource: ConfigResource,
  name: string,
  key: string,
): Known {
  if (value?.sealed) return { sealed: value.sealed, from: `key ${key} of ${resource}/${name}` };
  return { text: textOf(value?.base64 ?? '') };
}

function variableOf(name: string, known: Known, container: string): TaskVariable {
  if (!known.sealed) return { name, value: known.text };
  const { encoding, parts } = known.sealed;
  const [secretRef, ...more] = parts;
  if (encoding === 'text' && secretRef !== undefined && more.length === 0) {
    return { name, value: '', secretRef };
  }
  const problem = more.length > 0 ? 'is longer than 4 KiB' : 'holds NUL, {{, or what is not UTF-8';
  throw rejected(container, `variable ${name}: ${known.from} ${problem}: mount it as a file`);
}

function rejected(container: string, problem: string): TaskRejected {
  return new TaskRejected('CreateContainerConfigError', `container ${container}: ${problem}`);
}

/** The value; undefined for an optional reference to what is not there. */
function valueOf(
  pod: Pod,
  container: Container,
  { value, valueFrom }: EnvVar,
  config: PodConfig,
  expand: (text: string) => string,
): Known | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom ?? {};
  const ref = configMapKeyRef ?? secretKeyRef;
  if (ref) {
    const resource = secretKeyRef ? 'secrets' : 'configmaps';
    const found = config.value(resource, ref.name, ref.key);
    return found && knownOf(found, resource, ref.name, ref.key);
  }
  if (fieldRef) return { text: podField(pod, fieldRef.fieldPath) };
  if (resourceFieldRef) return { text: resourceField(pod, container, resourceFieldRef) };
  return { text: expand(value ?? '') };
}

/** A field of the pod; empty while it is not known, as an address is before the start. */
function podField({ metadata, spec, status }: Pod, path: string): string {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed) {
    const map = keyed[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[keyed[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default';
    case 'status.podIP':
    case 'status.podIPs':
      return status.podIP ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return status.hostIP ?? '';
    default:
      return '';
  }
}

interface ResourceField {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor?: string;
}

/** A request or limit in units of the divisor, rounded up; 0 where none is set. */
function resourceField(pod: Pod, self: Container, field: ResourceField): string {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const name = field.containerName || self.name;
  const { resources = {} } = all.find((container) => container.name === name) ?? {};
  const dot = field.resource.indexOf('.');
  const resource = field.resource.slice(dot + 1);
  const amounts = field.resource.startsWith('limits.')
    ? resources.limits
    : { ...resources.limits, ...resources.requests };
  const amount = amountOf(resource, amounts?.[resource] ?? '0');
  const unit = resource === 'cpu' ? 1000 : 1;
  const divisor = field.divisor && field.divisor !== '0' ? amountOf(resource, field.divisor) : unit;
  return String(Math.ceil(amount / divisor));
}

/**
 * One pass, left to right; what is inserted is not looked at again, so that nothing can grow
 * without bound.
 */
function expanded(text: string, values: ReadonlyMap<string, Known>, container: string): string {
  return text.replace(/\$\$|\$\(([^()$]+)\)/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    const known = values.get(name);
    if (known?.sealed) {
      const instead = `the program can read the variable itself, as with sh -c '… $${name} …'`;
      throw rejected(
        container,
        `$(${name}) can't be expanded: ${known.from} is sealed; ${instead}`,
      );
    }
    return known?.text ?? match;
  });
}
