/** Tables of placements: pods, the nodes they meet, and where they go or why not. */
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { namespace, NOW_MS, snapshot } from './fixtures.ts';

export interface Case {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /**
   * `pod@node` for each placement, then the messages, without what they say of preemption: that has
   * tables of its own.
   */
  readonly expected: readonly string[];
}

function answers({ nodes, pods }: Pick<Case, 'nodes' | 'pods'>): string[] {
  const namespaces = [namespace('default', { team: 'core' }), namespace('other', { team: 'far' })];
  const result = schedule(snapshot({ nodes, pods, namespaces }), NOW_MS);
  return [
    ...result.placements.map((p) => `${p.pod.metadata.name}@${p.node}`),
    ...result.unschedulable.map(({ message }) => message.replace(/ preemption: .*$/, '')),
  ];
}

export function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases)('$name', (given) => {
      expect(answers(given)).toEqual(given.expected);
    });
  });
}
