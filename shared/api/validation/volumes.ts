/** Volumes of a pod: one source each, and only sources that are served here. */
import type { Volume } from '../kinds/volumes.ts';
import { dns1123Label } from '../names.ts';
import { milliValue } from '../quantity.ts';
import { checkRelativePath } from './container.ts';
import type { Faults } from './faults.ts';

const SERVED = new Set(['emptyDir', 'configMap', 'secret']);

export function checkVolumes(volumes: readonly Volume[], field: string, faults: Faults): void {
  faults.unique(
    (index) => `${field}[${index}].name`,
    volumes.map((volume) => volume.name),
  );
  for (const [index, volume] of volumes.entries()) {
    checkVolume(volume, `${field}[${index}]`, faults);
  }
}

function checkVolume(volume: Volume, field: string, faults: Faults): void {
  if (!volume.name) faults.required(`${field}.name`);
  else faults.complaints(`${field}.name`, volume.name, dns1123Label(volume.name));
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) faults.required(field, 'must specify a volume type');
  for (const source of sources.slice(1)) {
    faults.forbidden(`${field}.${source}`, 'may not specify more than 1 volume type');
  }
  for (const source of sources) {
    if (!SERVED.has(source)) faults.forbidden(`${field}.${source}`, refusalOf(source));
  }
  const { emptyDir, configMap, secret } = volume;
  if (emptyDir?.sizeLimit !== undefined && milliValue(emptyDir.sizeLimit) < 0) {
    faults.forbidden(`${field}.emptyDir.sizeLimit`, 'must be greater than or equal to 0');
  }
  if (configMap && !configMap.name) faults.required(`${field}.configMap.name`);
  if (secret && !secret.secretName) faults.required(`${field}.secret.secretName`);
  if (configMap) checkFiles(configMap, `${field}.configMap`, faults);
  if (secret) checkFiles(secret, `${field}.secret`, faults);
}

function refusalOf(source: string): string {
  if (source === 'hostPath') return 'hostPath volumes are refused: hosts are shared';
  return `${source} volumes are not served yet`;
}

type Files = Pick<NonNullable<Volume['configMap']>, 'items' | 'defaultMode'>;

function checkFiles({ items, defaultMode }: Files, field: string, faults: Faults): void {
  checkMode(defaultMode, `${field}.defaultMode`, faults);
  for (const [index, item] of (items ?? []).entries()) {
    const path = `${field}.items[${index}]`;
    if (!item.key) faults.required(`${path}.key`);
    if (!item.path) faults.required(`${path}.path`);
    else checkRelativePath(item.path, `${path}.path`, faults);
    checkMode(item.mode, `${path}.mode`, faults);
  }
}

function checkMode(mode: number | undefined, field: string, faults: Faults): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    const detail = 'must be a number between 0 and 0777 (octal), both inclusive';
    faults.invalid(field, mode, detail);
  }
}
