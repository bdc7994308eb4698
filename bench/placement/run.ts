/** One run of the placement benchmark, in a process of its own: prints its figures as JSON. */
import { measureProvisioning, provisioningNamed } from './provisioning.ts';
import { measureWorkload } from './runs.ts';
import { sized, WORKLOADS } from './workloads.ts';

export interface RunRequest {
  readonly name: string;
  readonly nodes?: number | undefined;
  readonly pods?: number | undefined;
  readonly lot?: number | undefined;
}

const { name, nodes, pods, lot } = JSON.parse(process.argv[2] ?? '{}') as RunRequest;
const workload = WORKLOADS.find((one) => one.name === name);
const provisioning = provisioningNamed(name);
const size = { ...(nodes ? { nodes } : {}), ...(pods ? { pods } : {}) };
if (workload) {
  process.stdout.write(JSON.stringify(measureWorkload(sized(workload, size), { lot })));
} else if (provisioning) {
  process.stdout.write(
    JSON.stringify(measureProvisioning({ ...provisioning, pods: pods ?? provisioning.pods })),
  );
} else throw new Error(`no workload is called ${name}`);
