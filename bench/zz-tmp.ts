import { bareLives, deploymentLives, quietHour } from '/work/wt/cost/bench/cost/runs.ts';
const [, , what, n] = process.argv;
await deploymentLives(30);
const f = { bare: bareLives, dep: deploymentLives, quiet: quietHour }[what as 'bare'];
console.log(JSON.stringify({ cost: await f(Number(n)) }));
