/**
 * The bounds, measured: `npm run sim:bounds`. Takes a minute or two; bounds.test.ts holds the same
 * on smaller worlds.
 */
import { machinesInVain, readyMsBeside } from './blast.ts';
import {
  amplificationOf,
  callsOfAnHour,
  drainAfterOutage,
  launchesOfACrashLoop,
  lostInADayWithoutUs,
} from './bounds.ts';

for (const deployments of [10, 100, 1_000]) {
  const { pods, ...figures } = await amplificationOf(deployments);
  const told = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  console.log(`B1, B2: ${pods} pods: ${told.join(', ')}`);
}
console.log(`B3: a crash loop of 4 pods: ${await launchesOfACrashLoop()} launches in 24 h`);
const [up, down] = [await callsOfAnHour(false), await callsOfAnHour(true)];
console.log(
  `B5: ${up} calls of the runtime in an hour with 180 new pods, ${down} while all of them fail: ` +
    `${(down / up).toFixed(2)} times`,
);
for (const concurrency of [50, 10]) {
  const { pods, seconds, writesPerPod, isSteady } = await drainAfterOutage(3_334, concurrency);
  console.log(
    `B6: 3 h without consumers, Deployments of ${pods} pods created meanwhile, ${concurrency} ` +
      `invocations of a function at a time: drained in ${seconds} s, ` +
      `${writesPerPod.toFixed(2)} writes a pod, ${isSteady ? 'steadily' : 'with setbacks'}`,
  );
}
const [huge, unmet] = [await machinesInVain(true), await machinesInVain(false)];
console.log(
  `B4: machines launched in 24 h for a pod: ${huge.all} where no type has room, ` +
    `${unmet.all} where none joins, ${unmet.atOnce} at a time`,
);
const [alone, beside] = [await readyMsBeside(0), await readyMsBeside(5)];
console.log(`B7: a Deployment of 20 runs after ${alone} ms, beside spoilt ones ${beside} ms`);
console.log(`static stability: ${await lostInADayWithoutUs()} tasks lost in 24 h without us`);
