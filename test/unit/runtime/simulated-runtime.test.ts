import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { SIMULATE_ANNOTATION } from '../../../adapters/memory/simulated-rules.ts';
import {
  SimulatedRuntime,
  type TaskJournal,
  type TaskRecord,
} from '../../../adapters/memory/simulated-runtime.ts';
import type { ContainerSpec, HealthMessage, TaskSpec } from '../../../shared/api/task.ts';
import {
  type Behaviour,
  type Behaviours,
  runtimeContract,
  type RuntimeHarness,
} from '../../contract/runtime.contract.ts';

runtimeContract({ name: 'simulated', make: makeHarness });

function makeHarness(): RuntimeHarness {
  const clock = new StepClock();
  const messages: HealthMessage[] = [];
  const journal = memoryJournal();
  const start = () => new SimulatedRuntime({ clock, journal, emit: (m) => messages.push(m) });
  let runtime = start();
  return {
    runtime,
    messages,
    nodeName: 'node-1',
    missingImage: 'registry.invalid/does-not-exist:1',
    adapt,
    pass: (ms) => clock.advance(ms),
    restart: async () => {
      await runtime.close();
      runtime = start();
      return runtime;
    },
    close: () => runtime.close(),
  };
}

function adapt(task: TaskSpec, behaviours: Behaviours): TaskSpec {
  const containers = Object.fromEntries(
    Object.entries(behaviours).map(([name, behaviour]) => [name, rules(behaviour)]),
  );
  const image = (c: ContainerSpec) => ({ ...c, image: c.image || 'registry.test/app:1' });
  return {
    ...task,
    annotations: { [SIMULATE_ANNOTATION]: JSON.stringify({ containers }) },
    initContainers: task.initContainers.map(image),
    containers: task.containers.map(image),
  };
}

function rules({ output, readyAfterMs, ...same }: Behaviour): object {
  return {
    ...same,
    ...(output ? { lines: output } : {}),
    ...(readyAfterMs === undefined ? {} : { readyDelayMs: readyAfterMs }),
  };
}

function memoryJournal(): TaskJournal {
  const records = new Map<string, string>();
  return {
    load: () => [...records.values()].map((text) => JSON.parse(text) as TaskRecord),
    put: (id, record) => void records.set(id, JSON.stringify(record)),
    remove: (id) => void records.delete(id),
  };
}
