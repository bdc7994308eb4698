/** `npm start`: Nullplane on this machine, until Ctrl-C. */
import { parseOptions } from './options.ts';
import { type LocalNullplane, startLocal } from './start.ts';
import { NULLPLANE_VERSION } from './version.ts';

const parsed = parseOptions(process.argv.slice(2));
if (parsed.type === 'help') {
  process.stdout.write(parsed.text);
} else if (parsed.type === 'error') {
  process.stderr.write(`${parsed.text}\n`);
  process.exitCode = 2;
} else {
  try {
    const local = await startLocal(parsed.options);
    greet(local);
    await stopOnSignal(local);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Nullplane did not start: ${reason}\n`);
    process.exitCode = 1;
  }
}

function greet(local: LocalNullplane): void {
  console.log(`Nullplane ${NULLPLANE_VERSION} serves ${local.server}`);
  console.log(`tasks:  ${local.tasks}`);
  console.log(`nodes:  ${local.nodeSummary}`);
  console.log(`state:  ${local.dataPath}`);
  console.log('');
  console.log('In another terminal:');
  console.log(`  export KUBECONFIG=${local.kubeconfigPath}`);
  console.log('  kubectl apply -f examples/shop');
  console.log('');
  console.log(
    'Ctrl-C stops the control plane; tasks go on, and the next start takes them up again.',
  );
}

/** The first signal stops in order; a second one at once. */
async function stopOnSignal(local: LocalNullplane): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
    }
  });
  await local.close();
  console.log('\nstopped; the state is kept');
}
