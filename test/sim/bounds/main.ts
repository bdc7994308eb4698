/**
 * The bounds, measured: `npm run sim:bounds`. Takes a minute or two; bounds.test.ts holds the same
 * on smaller worlds.
 */
import {
  amplificationOf,
  drainMsAfterOutage,
  launchesOfACrashLoop,
  lostInADayWithoutUs,
} from './bounds.ts';

for (const deployments of [10, 100, 1_000]) {
  const { pods, ...figures } = await amplificationOf(deployments);
  const told = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  console.log(`B1, B2: ${pods} pods: ${told.join(', ')}`);
}
console.log(`B3: a crash loop of 4 pods: ${await launchesOfACrashLoop()} launches in 24 h`);
for (const [pods, concurrency] of [
  [10_000, 50],
  [10_000, 10],
] as const) {
  const seconds = (await drainMsAfterOutage(pods, concurrency)) / 1_000;
  console.log(
    `B6: 3 h without consumers, ${pods} pods created meanwhile, ${concurrency} invocations of a ` +
      `function at a time: drained in ${seconds} s`,
  );
}
console.log(`static stability: ${await lostInADayWithoutUs()} tasks lost in 24 h without us`);
