/** What `/version` answers: the Kubernetes API that is spoken, and who speaks it. */
import type { VersionInfo } from './context.ts';

/** `version` is Nullplane's own; `engine` such as `node v24.1.0`, `platform` `linux/arm64`. */
export function versionInfo(version: string, engine: string, platform: string): VersionInfo {
  return {
    major: '1',
    minor: '33',
    gitVersion: `v1.33.0+nullplane.${version}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: engine,
    compiler: 'none',
    platform,
  };
}
