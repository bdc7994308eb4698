/**
 * The contract with kubectl: every verb that people use. There are no controllers here: what is
 * tested is what the API server says. The versions are divided among test files, which run side by
 * side.
 */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, Kubectl, startCluster } from './cluster.ts';
import { configMap, namespace, node, nodePool, pod, podGroup, web } from './manifests.ts';

/** What a kubectl without a version in its name is taken for. */
const LATEST = 33;

/** Before this version, exec speaks SPDY, which is not served. */
const WEBSOCKET_SINCE = 30;

/** Tests these kubectls, one after the other, against one server. */
export function testContract(kubectls: readonly string[]): void {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  describe.each(kubectls.map((path) => [basename(path), path]))('%s', (name, path) => {
    const minor = Number(/1\.(\d+)$/.exec(name)?.[1] ?? LATEST);
    const team = `team-${minor}`;
    let kubectl: Kubectl;

    beforeAll(async () => {
      kubectl = new Kubectl(path, cluster, team);
      await kubectl.ok('create -f -', { input: namespace(team) });
    });

    it('discovers what is served', async () => {
      const [resources, versions, version, info] = await Promise.all([
        kubectl.ok('api-resources'),
        kubectl.ok('api-versions'),
        kubectl.ok('version'),
        kubectl.ok('cluster-info'),
      ]);
      expect(resources).toMatch(/deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
      expect(versions.split('\n')).toEqual(expect.arrayContaining(['v1', 'apps/v1', 'policy/v1']));
      expect(version).toContain('v1.33.0+nullplane');
      expect(info).toContain('is running at');
    });

    it('creates, applies, changes and finds unchanged', async () => {
      const apply = (input: string) => kubectl.ok('apply -f -', { input });
      expect(await apply(web(2))).toContain('deployment.apps/web created');
      expect(await apply(web(2))).toContain('deployment.apps/web unchanged');
      expect(await apply(web(3, 'app:2'))).toContain('deployment.apps/web configured');
      const got = await kubectl.ok('get deploy web -o jsonpath={.spec.replicas},{..image}');
      expect(got).toBe('3,app:2');
      const diff = await kubectl.run('diff -f -', { input: web(1) });
      expect([diff.code, diff.out]).toEqual([1, expect.stringContaining('replicas: 1')]);
      const twice = await kubectl.run('create -f -', { input: web(1) });
      expect(twice.err).toContain('"web" already exists');
      const typo = web(3).replace('"replicas"', '"replica"');
      const strict = await kubectl.run('apply -f -', { input: typo });
      expect(strict.err).toContain('unknown field "spec.replica"');
    });

    it('applies on the server side, and tells of conflicts', async () => {
      const input = configMap('shared', { a: '1' });
      const apply = (manager: string, text: string, more = '') =>
        kubectl.run(`apply --server-side --field-manager=${manager}${more} -f -`, { input: text });
      expect((await apply('one', input)).out).toContain('serverside-applied');
      const other = configMap('shared', { a: '2' });
      const refused = await apply('two', other);
      expect(refused.err).toContain('Apply failed with 1 conflict: conflict with "one": .data.a');
      expect((await apply('two', other, ' --force-conflicts')).code).toBe(0);
      expect(await kubectl.ok('get cm shared -o jsonpath={.data.a}')).toBe('2');
    });

    it('reads in every form', async () => {
      const forms = [
        ['get all', /deployment.apps\/web\s+0\/3/],
        ['get deploy -o wide', /CONTAINERS\s+IMAGES\s+SELECTOR/],
        ['get deploy web -o yaml', /kind: Deployment/],
        ['get deploy web -o json', /"kind": "Deployment"/],
        ['get deploy -o name', /^deployment.apps\/web$/m],
        ['get deploy -o custom-columns=N:.metadata.name', /^N\s+web/],
        ['get svc -A --sort-by=.metadata.name --chunk-size=1', /kubernetes[\s\S]*web/],
        ['get deploy -l app=web --show-labels', /app=web/],
        ['get svc --field-selector metadata.name=web', /web\s+ClusterIP/],
        ['get ns', new RegExp(`${team}\\s+Active`)],
        ['describe deploy web', /Replicas:\s+3 desired/],
        ['describe svc web', /TargetPort:\s+8080\/TCP/],
        ['get events', /^/],
        ['events', /^/],
      ] as const;
      const outs = await Promise.all(forms.map(([line]) => kubectl.ok(line)));
      for (const [at, [line, pattern]] of forms.entries()) {
        expect([line, outs[at]]).toEqual([line, expect.stringMatching(pattern)]);
      }
      const none = await kubectl.run('get deploy nobody');
      expect(none.err).toContain('deployments.apps "nobody" not found');
    });

    it('changes objects by every way of patching', async () => {
      await kubectl.ok('label deploy web tier=front');
      await kubectl.ok('annotate deploy web note=hi');
      await kubectl.ok('scale deploy web --replicas=4');
      await kubectl.ok('set image deploy/web app=app:3');
      await kubectl.ok('set env deploy/web MODE=fast');
      await kubectl.ok('rollout pause deploy/web');
      await kubectl.ok('rollout resume deploy/web');
      await kubectl.ok('rollout restart deploy/web');
      await kubectl.ok('patch deploy web -p {"spec":{"minReadySeconds":1}}');
      await kubectl.ok('patch deploy web --type=merge -p {"spec":{"paused":false}}');
      const replicas = '[{"op":"replace","path":"/spec/replicas","value":5}]';
      await kubectl.ok(`patch deploy web --type=json -p ${replicas}`);
      const patch = '{"status":{"observedGeneration":1}}';
      await kubectl.ok(`patch deploy web --subresource=status --type=merge -p ${patch}`);
      const { metadata, spec, status } = JSON.parse(await kubectl.ok('get deploy web -o json'));
      expect(metadata.labels.tier).toBe('front');
      expect(metadata.annotations.note).toBe('hi');
      expect([spec.replicas, spec.minReadySeconds]).toEqual([5, 1]);
      expect(spec.template.spec.containers).toMatchObject([
        { name: 'app', image: 'app:3', env: [{ name: 'MODE', value: 'fast' }] },
      ]);
      expect(status.observedGeneration).toBe(1);
    });

    it('follows rollouts', async () => {
      const { metadata } = JSON.parse(await kubectl.ok('get deploy web -o json'));
      const following = kubectl.run('rollout status deploy/web --timeout=10s');
      const counts = { replicas: 5, updatedReplicas: 5, readyReplicas: 5, availableReplicas: 5 };
      const status = { observedGeneration: metadata.generation, ...counts };
      const text = JSON.stringify({ status });
      await kubectl.ok(`patch deploy web --subresource=status --type=merge -p ${text}`);
      expect((await following).out).toContain('deployment "web" successfully rolled out');
      expect(await kubectl.ok('rollout history deploy/web')).toContain('deployment.apps/web');
      const undone = await kubectl.run('rollout undo deploy/web');
      expect(undone.err).toContain('no rollout history found');
    });

    it('runs, exposes, and removes by force', async () => {
      expect(await kubectl.ok('run once --image=app:1 --restart=Never')).toContain(
        'pod/once created',
      );
      expect(await kubectl.ok('expose pod once --port=80')).toContain('service/once exposed');
      expect(await kubectl.ok('get pod once -o wide')).toMatch(/once\s+0\/1\s+Pending/);
      await kubectl.ok('delete pod once --force --grace-period=0');
      await kubectl.ok('delete svc once');
      expect(await kubectl.ok('get --raw /readyz')).toBe('ok');
      expect((await kubectl.run('top pods')).err).toContain('Metrics API not available');
    });

    it('edits, replaces and explains', async () => {
      const editor = join(cluster.folder, `edit-${minor}.sh`);
      writeFileSync(editor, '#!/bin/sh\nsed -i "s/tier: front/tier: back/" "$1"\n', {
        mode: 0o755,
      });
      const edited = await kubectl.ok('edit deploy web', { env: { EDITOR: editor } });
      expect(edited).toContain('deployment.apps/web edited');
      expect(await kubectl.ok('get deploy web -L tier')).toContain('back');
      await kubectl.ok('create -f -', { input: configMap('r') });
      expect(await kubectl.ok('replace -f -', { input: configMap('r', { key: 'new' }) })).toContain(
        'configmap/r replaced',
      );
      expect(await kubectl.ok('replace --force -f -', { input: configMap('r') })).toContain(
        'configmap/r replaced',
      );
      expect(await kubectl.ok('explain deployment.spec.replicas')).toMatch(/<integer>/);
      expect(await kubectl.ok('explain pod --recursive')).toMatch(/tolerationSeconds\s+<integer>/);
    });

    it('watches and waits', async () => {
      await kubectl.ok('create -f -', { input: configMap('w') });
      const begun = Promise.withResolvers<void>();
      const onOutput = () => begun.resolve();
      const until = /(configmap\/w\s+){2}/;
      const watching = kubectl.run('get cm w -w -o name', { until, onOutput });
      const waiting = kubectl.run('wait cm/w --for=delete --timeout=10s');
      const condition = kubectl.run('wait cm/w --for=jsonpath={.data.key}=done --timeout=10s');
      await begun.promise;
      await kubectl.ok('patch cm w -p {"data":{"key":"done"}}');
      expect((await condition).out).toContain('condition met');
      expect((await watching).out).toMatch(until);
      await kubectl.ok('delete cm w');
      expect([(await waiting).code, (await waiting).err]).toEqual([0, '']);
    });

    it('drains nodes', async () => {
      const host = `node-${minor}`;
      await kubectl.ok('create -f -', { input: node(host) });
      await kubectl.ok(`cordon ${host}`);
      expect(await kubectl.ok(`get node ${host}`)).toContain('SchedulingDisabled');
      await kubectl.ok(`uncordon ${host}`);
      await kubectl.ok(`taint node ${host} a=b:NoSchedule`);
      const drained = await kubectl.ok(`drain ${host} --force --timeout=5s`);
      expect(drained).toMatch(/drained/);
      await kubectl.ok(`delete node ${host}`);
    });

    it('shows logs, or why there are none', async () => {
      await kubectl.ok('create -f -', { input: pod('quiet') });
      expect(await kubectl.ok('logs quiet')).toBe('');
      await kubectl.ok('create -f -', { input: pod('busy', 'somewhere') });
      const waiting = await kubectl.run('logs busy');
      expect(waiting.err).toContain('container "app" in pod "busy" is waiting to start');
      const started = { running: { startedAt: '2030-01-01T00:00:00Z' } };
      const status = { name: 'app', image: 'a', imageID: '', ready: true, restartCount: 0 };
      const patch = { status: { containerStatuses: [{ ...status, state: started }] } };
      const text = JSON.stringify(patch);
      await kubectl.ok(`patch pod busy --subresource=status --type=merge -p ${text}`);
      expect(await kubectl.ok('logs busy')).toBe('hello from the container\n');
      expect(await kubectl.ok('logs -f busy --tail=5')).toBe('hello from the container\n');
      await kubectl.ok('delete pod quiet');
    });

    it('runs commands in containers', async () => {
      const input = 'some input\n';
      const ran = await kubectl.run('exec -i busy -- say hi', { input });
      if (minor < WEBSOCKET_SINCE) expect(ran.err).toContain('kubectl 1.30 or later');
      else {
        expect([ran.code, ran.out]).toEqual([3, `say hi\n${input}`]);
        expect(ran.err).toContain('on stderr\n');
        expect((await kubectl.run('exec busy -- say')).out).toBe('say\n');
      }
    });

    it('asks what is allowed', async () => {
      const may = await kubectl.run('auth can-i create pods');
      const list = await kubectl.run('auth can-i --list');
      const who = await kubectl.run('auth whoami');
      expect(may.out).toBe('yes\n');
      expect(list.out).toContain('[*]');
      expect(who.out).toMatch(/Username\s+admin/);
    });

    // From 1.32 on, kubectl sends these in protobuf.
    it('creates without a manifest', async () => {
      const made = [
        ['create namespace', `${team}-made`, '--save-config'],
        ['create configmap', 'made', '--from-literal=a=b --from-literal=empty='],
        ['create secret generic', 'made', '--from-literal=user=jane'],
        ['create serviceaccount', 'made', '--save-config'],
        ['create deployment', 'made', '--image=nginx:1 --replicas=2 --port=80'],
        ['create service clusterip', 'made', '--tcp=80:8080'],
        ['create service nodeport', 'made-np', '--tcp=80:http'],
        ['create service loadbalancer', 'made-lb', '--tcp=80'],
        ['create service externalname', 'made-en', '--external-name=a.example'],
      ] as const;
      for (const [command, name, options] of made) {
        const line = `${command} ${name} ${options}`;
        expect([line, await kubectl.ok(line)]).toEqual([
          line,
          expect.stringMatching(/ created\n$/),
        ]);
      }
      const path = '{.data.a},{.data.empty}|{.spec.replicas},{..containers[0].ports[0]}';
      const [data, deployment] = await Promise.all(
        ['cm', 'deploy'].map((kind) => kubectl.ok(`get ${kind} made -o jsonpath=${path}`)),
      );
      expect(data).toBe('b,|,');
      expect(deployment).toBe(',|2,{"containerPort":80,"protocol":"TCP"}');
      const server = await kubectl.ok(
        'create cm tried --from-literal=a=b --dry-run=server -o name',
      );
      expect(server).toBe('configmap/tried\n');
      const twice = await kubectl.run('create configmap made');
      expect(twice.err).toContain('configmaps "made" already exists');
      const none = await kubectl.run('create quota made');
      expect(none.err).toContain('the server could not find the requested resource');
      await kubectl.ok(`delete ns ${team}-made --wait=false`);
    });

    it('knows priorities, and evicts within disruption budgets', async () => {
      const [high, host] = [`high-${minor}`, `guarded-${minor}`];
      await kubectl.ok(`create priorityclass ${high} --value=1000 --description=urgent`);
      expect(await kubectl.ok(`get pc ${high}`)).toMatch(
        new RegExp(`${high}\\s+1000\\s+false\\s+\\d+s\\s+PreemptLowerPriority`),
      );
      expect(await kubectl.ok('get pc')).toMatch(/system-node-critical\s+2000001000/);
      expect(await kubectl.ok(`describe pc ${high}`)).toMatch(/Value:\s+1000/);
      const missing = await kubectl.run(
        'run no --image=a --overrides={"spec":{"priorityClassName":"no"}}',
      );
      expect(missing.err).toContain('no PriorityClass with name no was found');
      const overrides = JSON.stringify({ spec: { priorityClassName: high, nodeName: host } });
      await kubectl.ok('create -f -', { input: node(host) });
      await kubectl.ok(`run guarded --image=a --labels=app=guarded --overrides=${overrides}`);
      expect(await kubectl.ok('get pod guarded -o jsonpath={.spec.priority}')).toBe('1000');
      await kubectl.ok('create pdb guard --selector=app=guarded --min-available=1');
      expect(await kubectl.ok('get pdb')).toMatch(/guard\s+1\s+N\/A\s+0/);
      const status = (allowed: number) => ({
        ...{ observedGeneration: 1, disruptionsAllowed: allowed, currentHealthy: 1 + allowed },
        ...{ desiredHealthy: 1, expectedPods: 2 },
      });
      const patch = (what: string, status: object) => {
        const change = JSON.stringify({ status });
        return kubectl.ok(`patch ${what} --subresource=status --type=merge -p ${change}`);
      };
      await patch('pdb guard', status(0));
      const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await patch('pod guarded', running);
      expect(await kubectl.ok('describe pdb guard')).toMatch(/Allowed disruptions:\s+0/);
      const held = await kubectl.run(`drain ${host} --force --timeout=1s`);
      expect(held.err).toContain(
        "Cannot evict pod as it would violate the pod's disruption budget",
      );
      await patch('pdb guard', status(1));
      expect(await kubectl.ok(`drain ${host} --force --timeout=5s`)).toMatch(/drained/);
      const granted = await kubectl.ok('get pdb guard -o jsonpath={.status}');
      expect(JSON.parse(granted)).toMatchObject({
        disruptionsAllowed: 0,
        disruptedPods: { guarded: expect.any(String) as string },
      });
      await kubectl.ok(`delete node ${host}`);
      await kubectl.ok(`delete pc ${high}`);
    });

    it('keeps pools and groups as their users know them', async () => {
      const name = `pool-${minor}`;
      expect(await kubectl.ok('apply -f -', { input: nodePool(name) })).toContain(
        `nodepool.karpenter.sh/${name} created`,
      );
      expect(await kubectl.ok('get nodepools -o wide')).toMatch(
        /NAME\s+NODECLASS\s+NODES\s+READY\s+AGE\s+WEIGHT\s+CPU\s+MEMORY/,
      );
      const wrong = nodePool(name, [{ key: 'team', operator: 'In', values: ['b'] }]);
      const refused = await kubectl.run('apply -f -', { input: wrong });
      expect(refused.err).toContain('team In [b], which contradicts team In [a]');
      expect(await kubectl.ok('explain nodepool.spec.disruption.budgets')).toContain('schedule');
      expect(await kubectl.ok('get nodeclaims')).toBe('');
      expect(await kubectl.ok('apply -f -', { input: podGroup('gang') })).toContain(
        'podgroup.scheduling.x-k8s.io/gang created',
      );
      expect(await kubectl.ok('get pg')).toMatch(/NAME\s+PHASE\s+MINMEMBER\s+RUNNING/);
      await kubectl.ok(`delete nodepool ${name}`);
    });

    it('deletes by name, by label, by file and all', async () => {
      for (const name of ['d1', 'd2', 'd3']) {
        await kubectl.ok('create -f -', { input: configMap(name) });
      }
      await kubectl.ok('label cm d2 kill=me');
      expect(await kubectl.ok('delete cm d1')).toContain('"d1" deleted');
      expect(await kubectl.ok('delete cm -l kill=me')).toContain('"d2" deleted');
      expect(await kubectl.ok('delete -f -', { input: configMap('d3') })).toContain('"d3" deleted');
      expect(await kubectl.ok('delete deploy,svc --all')).toContain('"web" deleted');
      expect(await kubectl.ok('delete cm none --ignore-not-found')).toBe('');
      expect(await kubectl.ok('get deploy,svc')).toBe('');
    });
  });
}
