/** The version of this checkout. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { versionInfo } from '../shared/control/apiserver/server-version.ts';

const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'),
) as { version: string };

export const NULLPLANE_VERSION = version;

export const VERSION = versionInfo(
  version,
  `node ${process.version}`,
  `${process.platform}/${process.arch}`,
);
