/** What `/version` answers: the Kubernetes API that is spoken, and who speaks it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VersionInfo } from '../shared/control/apiserver/context.ts';

const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'),
) as { version: string };

export const NULLPLANE_VERSION = version;

export const VERSION: VersionInfo = {
  major: '1',
  minor: '33',
  gitVersion: `v1.33.0+nullplane.${version}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node ${process.version}`,
  compiler: 'none',
  platform: `${process.platform}/${process.arch}`,
};
