/**
 * The first container of a task with volumes: it makes empty folders writable for whoever the
 * containers run as, as Kubernetes' are, and puts files in place. Content is in its variables:
 * gzipped in the definition, or handed over by ECS out of the vault; never a secret value in the
 * definition itself.
 */
import { gzipSync } from 'node:zlib';
import type { ContainerDefinition, KeyValuePair, Secret } from '@aws-sdk/client-ecs';
import type { TaskFile, TaskVolume } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { quoted } from './shell.ts';

/** Where the container has the volumes. */
const ROOT = '/volumes';

interface Work {
  readonly lines: readonly string[];
  readonly environment: readonly KeyValuePair[];
  readonly secrets: readonly Secret[];
}

/** What the container runs with; undefined when there is nothing to prepare. */
export function filesWork(
  volumes: readonly TaskVolume[],
):
  | Pick<
      ContainerDefinition,
      'entryPoint' | 'command' | 'environment' | 'secrets' | 'mountPoints' | 'user'
    >
  | undefined {
  if (volumes.length === 0) return undefined;
  const files = volumes.flatMap((volume) =>
    volume.type === 'files' ? volume.files.map((file) => ({ volume: volume.name, file })) : [],
  );
  const folders = volumes.flatMap((volume) =>
    volume.type === 'empty' ? [`chmod 0777 ${quoted(`${ROOT}/${volume.name}`)}`] : [],
  );
  const work = files.map(({ volume, file }, i) => workOf(volume, file, `FILE_${i}`));
  const lines = ['set -eu', 'umask 022', ...folders, ...work.flatMap((one) => one.lines)];
  return {
    entryPoint: ['sh', '-c'],
    command: [lines.join('\n')],
    environment: work.flatMap((one) => one.environment),
    secrets: work.flatMap((one) => one.secrets),
    mountPoints: volumes.map(({ name }) => ({
      sourceVolume: name,
      containerPath: `${ROOT}/${name}`,
      readOnly: false,
    })),
    user: '0',
  };
}

function workOf(volume: string, file: TaskFile, variable: string): Work {
  const path = `${ROOT}/${volume}/${insidePath(volume, file.path)}`;
  const mode = (file.mode & 0o7777).toString(8).padStart(4, '0');
  const into = (source: string) => [
    `mkdir -p ${quoted(path.slice(0, path.lastIndexOf('/')))}`,
    `${source} > ${quoted(path)}`,
    `chmod ${mode} ${quoted(path)}`,
  ];
  const { secretRef, content } = file;
  if (!secretRef) {
    const value = gzipSync(Buffer.from(content, 'base64')).toString('base64');
    const source = `printf %s "$${variable}" | base64 -d | gunzip -c`;
    return { lines: into(source), environment: [{ name: variable, value }], secrets: [] };
  }
  const parts = secretRef.parts.map((valueFrom, i) => ({ name: `${variable}_${i}`, valueFrom }));
  const joined = parts.map(({ name }) => `\${${name}}`).join('');
  const decode = secretRef.encoding === 'base64' ? ' | base64 -d' : '';
  return { lines: into(`printf %s "${joined}"${decode}`), environment: [], secrets: parts };
}

function insidePath(volume: string, path: string): string {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  if (!path.startsWith('/') && steps.length > 0 && !steps.includes('..')) return steps.join('/');
  throw new TaskRejected('InvalidPath', `volume ${volume}: a file has an invalid path`);
}
