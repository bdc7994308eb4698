/**
 * The images of the end-to-end lane, made from a static busybox of this machine: no registry is
 * asked. Two versions, so that there is something to roll out. By default they serve `version N`
 * over HTTP on port 8080, and end on SIGTERM.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';

export const TEST_IMAGES = ['nullplane/test:1', 'nullplane/test:2'] as const;

/** Made by a container once it handles SIGTERM: before, a first process ignores it. */
export const TRAPPED_FILE = '/tmp/trapped';

const BUSYBOX_PLACES = ['/bin/busybox', '/usr/bin/busybox'];
const APPLETS = [
  ...['sh', 'cat', 'date', 'df', 'echo', 'env', 'false', 'head', 'hostname', 'httpd', 'id', 'kill'],
  ...[
    'ls',
    'mkdir',
    'nc',
    'ps',
    'rm',
    'sleep',
    'stat',
    'stty',
    'tail',
    'test',
    'touch',
    'true',
    'wget',
  ],
];

/** As the first process it would ignore SIGTERM, if it did not say otherwise. */
const SERVE = `#!/bin/sh
trap 'exit 0' TERM
touch ${TRAPPED_FILE}
httpd -f -p "\${PORT:-8080}" -h /www &
echo "serving version $VERSION"
wait
`;

/** Makes those that are missing. */
export async function ensureTestImages(docker: Dockerode): Promise<void> {
  for (const image of TEST_IMAGES) {
    const isThere = await docker
      .getImage(image)
      .inspect()
      .then(() => true)
      .catch(() => false);
    if (!isThere) await makeImage(docker, image);
  }
}

async function makeImage(docker: Dockerode, image: string): Promise<void> {
  const [repo = '', tag = ''] = image.split(':');
  const root = mkdtempSync(join(tmpdir(), 'nullplane-image-'));
  try {
    fillRoot(root, tag);
    const archive = spawnSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 1024 * 1024 });
    if (archive.status !== 0) throw new Error(`tar failed: ${archive.stderr.toString()}`);
    const changes = ['ENV PATH=/bin', `ENV VERSION=${tag}`, 'CMD ["/bin/serve"]'];
    const body = Readable.from([archive.stdout]);
    const progress = await docker.importImage(body, { repo, tag, changes });
    for await (const _line of progress) continue;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function fillRoot(root: string, version: string): void {
  for (const folder of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(root, folder));
  chmodSync(root, 0o755);
  chmodSync(join(root, 'tmp'), 0o1777);
  copyFileSync(findBusybox(), join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'bin/serve'), SERVE, { mode: 0o755 });
  writeFileSync(join(root, 'www/index.html'), `version ${version}\n`);
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n');
}

function findBusybox(): string {
  const found = (): string | undefined => BUSYBOX_PLACES.find((path) => existsSync(path));
  const path = found();
  if (path !== undefined) return path;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    spawnSync('apt-get', ['update']);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'busybox-static']);
  }
  const installed = found();
  if (installed === undefined) throw new Error('needs a static busybox (Debian: busybox-static)');
  return installed;
}
