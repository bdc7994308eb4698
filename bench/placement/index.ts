/**
 * How fast the scheduler decides, without a store, and how well it chooses machines: beside what
 * peers hold themselves to (docs/benchmarks.md says what is compared with what). Each workload runs
 * in a process of its own, so that memory is that workload's. Fails when a floor is missed.
 */
import { parseArgs } from 'node:util';
import { count } from '../options.ts';
import { runAlone } from '../run-alone.ts';
import { PROVISIONINGS, type ProvisioningFigures } from './provisioning.ts';
import type { RunRequest } from './run.ts';
import type { PlacementFigures } from './runs.ts';
import { judgePlacement, judgeProvisioning, type Judged } from './floors.ts';
import { printPlacements, printProvisionings } from './table.ts';
import { WORKLOADS } from './workloads.ts';

export async function benchPlacement(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: 'string', multiple: true, default: [] },
      ...{ pods: { type: 'string' }, nodes: { type: 'string' }, lot: { type: 'string' } },
      cpu: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const option = (name: 'pods' | 'nodes' | 'lot') =>
    values[name] === undefined ? undefined : count(`--${name}`, values[name]);
  const size = { nodes: option('nodes'), pods: option('pods'), lot: option('lot') };
  const isAsked = ({ name }: { readonly name: string }) =>
    values.workload.length === 0 || values.workload.some((asked) => name.startsWith(asked));
  const placement: Judged<PlacementFigures>[] = [];
  for (const workload of WORKLOADS.filter(isAsked)) {
    const figures = await run<PlacementFigures>({ name: workload.name, ...size });
    placement.push(judgePlacement(figures, workload, values.cpu));
  }
  const provisioning: Judged<ProvisioningFigures>[] = [];
  for (const one of PROVISIONINGS.filter(isAsked)) {
    const figures = await run<ProvisioningFigures>({ name: one.name, pods: size.pods });
    provisioning.push(judgeProvisioning(figures, values.cpu));
  }
  const all = [...placement, ...provisioning];
  if (all.length === 0) throw new Error(`--workload: none is called ${values.workload.join()}`);
  if (values.json) console.log(JSON.stringify({ placement, provisioning }));
  else {
    if (placement.length > 0) printPlacements(placement);
    if (provisioning.length > 0) printProvisionings(provisioning);
  }
  const missed = all.flatMap((one) => one.missed.map((what) => `${one.workload}: ${what}`));
  for (const line of missed) console.error(`missed  ${line}`);
  if (missed.length > 0) process.exitCode = 1;
}

function run<T>(request: RunRequest): Promise<T> {
  return runAlone<T>(`${import.meta.dirname}/run.ts`, [JSON.stringify(request)], request.name);
}
