/**
 * Each row breaks one check of an otherwise good token, and says by which check it must be caught.
 */
import { describe, expect, it } from 'vitest';
import { checkToken, InvalidToken, requestPath } from '../../../adapters/aws/auth/bearer-token.ts';
import { partitionOf, stsHosts } from '../../../adapters/aws/auth/sts-hosts.ts';
import {
  GOOD,
  HOST,
  HOSTS,
  NOW_MS,
  type Pairs,
  queryOf,
  tokenOf,
  urlOf,
  without,
  withValue,
} from './token-fixtures.ts';

type Row = readonly [what: string, token: string];

const check = (token: string, nowMs = NOW_MS) => checkToken(token, { nowMs, hosts: HOSTS });
const ofPairs = (pairs: Pairs) => tokenOf(urlOf(pairs));
const ofUrl = (url: string) => tokenOf(url);
const GOOD_QUERY = queryOf(GOOD);
const GOOD_TOKEN = ofPairs(GOOD);

function refuses(reason: RegExp, rows: readonly Row[]): void {
  it.each(rows)('%s', (_what, token) => {
    expect(() => check(token)).toThrow(InvalidToken);
    expect(() => check(token)).toThrow(reason);
  });
}

describe('a good token', () => {
  it('is taken, and asked about in the same words', () => {
    const checked = check(GOOD_TOKEN);
    expect(checked.host).toBe(HOST);
    expect(checked.parameters.get('X-Amz-Security-Token')).toBe('a+b/c=');
    expect(checked.expiresAtMs).toBe(NOW_MS + 15 * 60_000);
    expect(requestPath(checked)).toBe(`/?${GOOD_QUERY}`);
  });

  it.each<Row>([
    ['without a session', ofPairs(without('X-Amz-Security-Token'))],
    ['in any order', ofPairs(GOOD.toReversed())],
    ['that lasts 900 s', ofPairs(withValue('X-Amz-Expires', '900'))],
    ['that lasts 0 s', ofPairs(withValue('X-Amz-Expires', '0'))],
    [
      'with hexadecimal digits in lower case',
      ofPairs(withValue('X-Amz-SignedHeaders', 'host%3bx-k8s-aws-id')),
    ],
    ['from a clock 5 minutes ahead', ofPairs(withValue('X-Amz-Date', '20260304T051107Z'))],
    ['14 min 59 s old', ofPairs(withValue('X-Amz-Date', '20260304T045108Z'))],
    ['from the FIPS host', ofUrl(`https://sts-fips.eu-west-1.amazonaws.com/?${GOOD_QUERY}`)],
    ['from the dual-stack host', ofUrl(`https://sts.eu-west-1.api.aws/?${GOOD_QUERY}`)],
    [
      'from the global host, signed for its region',
      ofUrl(`https://sts.amazonaws.com/?${GOOD_QUERY.replace('eu-west-1', 'us-east-1')}`),
    ],
  ])('may come %s', (_what, token) => {
    expect(check(token).parameters.get('Action')).toBe('GetCallerIdentity');
  });
});

describe('size', () => {
  refuses(/too long/, [
    ['one character too many', `k8s-aws-v1.${'A'.repeat(4096 - 10)}`],
    ['ten megabytes', `k8s-aws-v1.${'A'.repeat(10_000_000)}`],
    ['a session token of 4 KB', ofPairs(withValue('X-Amz-Security-Token', 'a'.repeat(4096)))],
  ]);
});

describe('the prefix', () => {
  const payload = GOOD_TOKEN.slice('k8s-aws-v1.'.length);
  refuses(/the prefix/, [
    ['nothing at all', ''],
    ['no prefix', payload],
    ['another version', `k8s-aws-v2.${payload}`],
    ['in upper case', `K8S-AWS-V1.${payload}`],
    ['no dot', `k8s-aws-v1${payload}`],
    ['a space before', ` ${GOOD_TOKEN}`],
    ['a JSON web token', 'eyJhbGciOiJub25lIn0.e30.'],
    ['a Cyrillic a', `k8s-\u0430ws-v1.${payload}`],
    ['a full-width dot', `k8s-aws-v1\uff0e${payload}`],
    ['a NUL before', `\u0000${GOOD_TOKEN}`],
  ]);
});

describe('base64url', () => {
  const payload = GOOD_TOKEN.slice('k8s-aws-v1.'.length);
  const broken = (text: string) => `k8s-aws-v1.${text}`;
  refuses(/not base64url/, [
    ['an empty payload', broken('')],
    ['padding', broken(`${payload}=`)],
    ['double padding', broken(`${payload}==`)],
    ['a plus', broken(`${payload.slice(0, 40)}+${payload.slice(41)}`)],
    ['a slash', broken(`${payload.slice(0, 40)}/${payload.slice(41)}`)],
    ['a dot', broken(`${payload}.${payload}`)],
    ['a line break at the end', broken(`${payload}\n`)],
    ['a line break within', broken(`${payload.slice(0, 76)}\r\n${payload.slice(76)}`)],
    ['a space', broken(`${payload} `)],
    ['a tab', broken(`\t${payload}`)],
    ['a second token', broken(`${payload},${payload}`)],
    ['a percent escape', broken(payload.replace('a', '%61'))],
    ['the plain URL', broken(urlOf(GOOD))],
    ['a full-width letter', broken(`\uff41${payload}`)],
    ['a NUL', broken(`${payload}\u0000`)],
  ]);
  refuses(/not exact/, [
    ['a lone character at the end', broken(`${Buffer.from('abc').toString('base64url')}A`)],
    [
      'bits that say nothing, of two',
      broken(`${Buffer.from('abcd').toString('base64url').slice(0, -1)}B`),
    ],
    ['bits that say nothing, of four', broken('YWJjZB')],
  ]);
});

describe('characters of the URL', () => {
  refuses(/plain ASCII/, [
    ['a space', ofUrl(urlOf(GOOD).replace('?', '? '))],
    ['a carriage return and header', ofUrl(`${urlOf(GOOD)}\r\nx-k8s-aws-id: other`)],
    ['a line feed', ofUrl(`${urlOf(GOOD)}\n`)],
    ['a line feed in the host', ofUrl(urlOf(GOOD).replace(HOST, `${HOST}\n`))],
    ['a tab in the scheme', ofUrl(`ht\ttps${urlOf(GOOD).slice(5)}`)],
    ['a NUL', ofUrl(`${urlOf(GOOD)}\u0000`)],
    ['delete', ofUrl(`${urlOf(GOOD)}\u007f`)],
    ['an accent', ofUrl(urlOf(GOOD).replace('sts', 's\u00fes'))],
    ['a byte-order mark', ofUrl(`\u00ef\u00bb\u00bf${urlOf(GOOD)}`)],
    ['UTF-16', ofUrl([...urlOf(GOOD)].join('\u0000'))],
    ['a no-break space', ofUrl(`${urlOf(GOOD)}\u00a0`)],
  ]);
});

describe('the scheme', () => {
  const rest = `${HOST}/?${GOOD_QUERY}`;
  refuses(/scheme/, [
    ['http', ofUrl(`http://${rest}`)],
    ['in upper case', ofUrl(`HTTPS://${rest}`)],
    ['none', ofUrl(rest)],
    ['a relative one', ofUrl(`//${rest}`)],
    ['one slash', ofUrl(`https:/${rest}`)],
    ['backslashes', ofUrl(`https:\\\\${rest}`)],
    ['file', ofUrl(`file:///etc/passwd?${GOOD_QUERY}`)],
    ['ftp', ofUrl(`ftp://${rest}`)],
    ['gopher', ofUrl(`gopher://${rest}`)],
    ['a nested one', ofUrl(`url:https://${rest}`)],
    ['javascript', ofUrl(`javascript://${rest}`)],
  ]);
});

describe('the host', () => {
  const at = (host: string) => ofUrl(`https://${host}/?${GOOD_QUERY}`);
  refuses(/the host/, [
    ...[
      '',
      'evil.example',
      'sts.evil.com',
      'sts.amazonaws.com.evil.example',
      'sts.eu-west-1.amazonaws.com.evil.example',
      'evil.example.amazonaws.com',
      'ststs.eu-west-1.amazonaws.com',
      'xsts.eu-west-1.amazonaws.com',
      'x.sts.eu-west-1.amazonaws.com',
      'sts.eu-west-1.amazonaws.com.',
      'sts.eu-west-1.amazonaws.com..',
      '.sts.eu-west-1.amazonaws.com',
      'sts..eu-west-1.amazonaws.com',
      'STS.eu-west-1.amazonaws.com',
      'sts.EU-WEST-1.amazonaws.com',
      'sts.eu-west-1.AmazonAWS.com',
      'sts.eu-west-1.amazonaws.com:443',
      'sts.eu-west-1.amazonaws.com:80',
      'sts.eu-west-1.amazonaws.com:8443',
      'sts.eu-west-1.amazonaws.com:',
      'user@sts.eu-west-1.amazonaws.com',
      'user:secret@sts.eu-west-1.amazonaws.com',
      '@sts.eu-west-1.amazonaws.com',
      'sts.eu-west-1.amazonaws.com@evil.example',
      'sts.eu-west-1.amazonaws.com:443@evil.example',
      'sts.eu-west-1.amazonaws.com%2f@evil.example',
      'sts.eu-west-1.amazonaws.com%00.evil.example',
      'sts.eu-west-1.amazonaws.com;evil.example',
      'sts.eu-west-1.amazonaws.com&evil.example',
      'sts.eu-west-1%2eamazonaws.com',
      '%73ts.eu-west-1.amazonaws.com',
      'sts.eu-west-1.amazonaws.co',
      'sts.eu-west-1.amazonaws.com.cn',
      'sts.eu-west-1.amazonaws.org',
      'sts-eu-west-1.amazonaws.com',
      'sts.eu-west-1-amazonaws.com',
      'sts.us-east-1.amazonaws.com',
      'sts.us-gov-west-1.amazonaws.com',
      'sts.cn-north-1.amazonaws.com.cn',
      'sts.us-iso-east-1.c2s.ic.gov',
      'sts-fips.us-east-1.amazonaws.com',
      'sts.us-east-1.api.aws',
      'sts.api.aws',
      'ec2.eu-west-1.amazonaws.com',
      's3.eu-west-1.amazonaws.com',
      'bucket.s3.eu-west-1.amazonaws.com',
      'iam.amazonaws.com',
      'localhost',
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:169.254.169.254]',
      '169.254.169.254',
      '169.254.170.2',
      'xn--sts-9cd.eu-west-1.amazonaws.com',
      'sts.eu-west-1.xn--mazonaws-2fg.com',
      '*.amazonaws.com',
    ].map((host): Row => [host || 'none', at(host)]),
  ]);
  refuses(/the path/, [
    ['a backslash for the path', ofUrl(`https://${HOST}\\@evil.example/?${GOOD_QUERY}`)],
    ['another host behind a backslash', ofUrl(`https://evil.example\\@${HOST}/?${GOOD_QUERY}`)],
  ]);

  it('may be of other regions that were named, each signing for itself', () => {
    const hosts = stsHosts(['eu-west-1', 'us-east-1']);
    const token = ofUrl(`https://sts.us-east-1.amazonaws.com/?${GOOD_QUERY}`);
    expect(() => checkToken(token, { nowMs: NOW_MS, hosts })).toThrow(/another region/);
  });

  it.each([
    ['us-east-1', 'aws'],
    ['ap-southeast-5', 'aws'],
    ['mx-central-1', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-iso-east-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('of %s is in the partition %s', (region, partition) => {
    expect(partitionOf(region)).toBe(partition);
    const globals = [...stsHosts([region]).keys()].filter((host) => host === 'sts.amazonaws.com');
    expect(globals).toHaveLength(partition === 'aws' ? 1 : 0);
  });

  it.each(['', 'evil.example', 'eu-west-1.evil', 'eu-west-1/', 'EU-WEST-1', 'a', 'eu-west-1:80'])(
    'is not made of %j',
    (region) => {
      expect(() => stsHosts([region])).toThrow(RangeError);
    },
  );
});

describe('the path', () => {
  const at = (target: string) => ofUrl(`https://${HOST}${target}`);
  refuses(/the path/, [
    ['none', at(`?${GOOD_QUERY}`)],
    ['nothing behind the host', at('')],
    ['no query', at('/')],
    ['two slashes', at(`//?${GOOD_QUERY}`)],
    ['a dot', at(`/.?${GOOD_QUERY}`)],
    ['two dots', at(`/..?${GOOD_QUERY}`)],
    ['an encoded slash', at(`/%2f?${GOOD_QUERY}`)],
    ['another path', at(`/x?${GOOD_QUERY}`)],
    ['a parameter of the path', at(`/;a=b?${GOOD_QUERY}`)],
    ['a full URL', at(`/https://evil.example/?${GOOD_QUERY}`)],
    ['an encoded question mark', at(`/%3f${GOOD_QUERY}`)],
  ]);
  refuses(/fragment/, [
    ['a fragment', at(`/?${GOOD_QUERY}#`)],
    ['a fragment with a query', at(`/#?${GOOD_QUERY}`)],
    ['a fragment for the path', at(`#/?${GOOD_QUERY}`)],
    ['a fragment that hides parameters', at(`/?Action=GetCallerIdentity#&${GOOD_QUERY}`)],
  ]);
});

describe('each parameter', () => {
  const required = GOOD.filter(([name]) => name !== 'X-Amz-Security-Token');
  describe('missing', () => {
    refuses(
      /is missing/,
      required.map(([name]): Row => [name, ofPairs(without(name))]),
    );
  });
  describe('empty', () => {
    refuses(
      /not as it must be/,
      GOOD.map(([name]): Row => [name, ofPairs(withValue(name, ''))]),
    );
  });
  describe('twice', () => {
    refuses(
      /twice/,
      GOOD.map((pair): Row => [pair[0], ofPairs([...GOOD, pair])]),
    );
  });
  describe('twice with another value first', () => {
    refuses(
      /twice/,
      GOOD.map(([name]): Row => [name, ofPairs([[name, 'x'], ...GOOD])]),
    );
  });
  describe('twice in another case', () => {
    refuses(
      /twice/,
      GOOD.map(([name, value]): Row => [name, ofPairs([...GOOD, [name.toLowerCase(), value]])]),
    );
  });
  describe('in another case only', () => {
    refuses(
      /is missing/,
      required.map(([name]): Row => {
        const lower = GOOD.map(([key, v]) => [key === name ? key.toUpperCase() : key, v] as const);
        return [name, ofPairs(lower)];
      }),
    );
  });
  describe('with an encoded name', () => {
    const hidden = (name: string) => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}` as const;
    refuses(
      /not name=value/,
      GOOD.map(([name, v]): Row => [name, ofPairs([...without(name), [hidden(name), v]])]),
    );
  });
  describe('in array form', () => {
    refuses(
      /not name=value/,
      GOOD.map(([name, value]): Row => [name, ofPairs([...GOOD, [`${name}[]`, value]])]),
    );
  });
  describe('encoded twice', () => {
    const again = (value: string) =>
      value.includes('%')
        ? value.replaceAll('%', '%25')
        : `%25${value.charCodeAt(0).toString(16)}${value.slice(1)}`;
    refuses(
      /encoded twice/,
      GOOD.map(([name, value]): Row => [name, ofPairs(withValue(name, again(value)))]),
    );
  });
  describe('with a semicolon for a second one', () => {
    refuses(
      /not percent-encoded/,
      GOOD.map(([name, value]): Row => [name, ofPairs(withValue(name, `${value};b`))]),
    );
  });
});

describe('parameters', () => {
  const more = (text: string) => ofUrl(`${urlOf(GOOD)}&${text}`);
  refuses(/not known/, [
    ['one that is not known', more('DurationSeconds=900')],
    ['a role to assume', more('RoleArn=arn')],
    ['a header of the cluster', more('x-k8s-aws-id=nullplane')],
    ['a content digest', more('X-Amz-Content-Sha256=UNSIGNED-PAYLOAD')],
    ['a name of every object', more('constructor=x')],
  ]);
  refuses(/not name=value/, [
    ['a prototype', more('__proto__=x')],
    ['nothing at the end', more('')],
    ['nothing between', ofUrl(urlOf(GOOD).replace('&', '&&'))],
    ['no name', more('=x')],
    ['no value', ofUrl(`https://${HOST}/?&${GOOD_QUERY}`)],
    ['a second question mark', ofUrl(urlOf(GOOD).replace('?', '??'))],
    ['two equals signs', ofUrl(urlOf(GOOD).replace('Action=', 'Action=='))],
    ['a bare equals sign in a value', ofPairs(withValue('X-Amz-Security-Token', 'abc='))],
    ['brackets', more('Action[0]=AssumeRole')],
    ['a dotted name', more('Action.1=AssumeRole')],
    ['a plus for a space in the name', more('+Action=AssumeRole')],
    ['an encoded space before the name', more('%20Action=AssumeRole')],
    ['an encoded NUL behind the name', more('Action%00=AssumeRole')],
    ['an encoded ampersand in the name', more('a%26Action=AssumeRole')],
    ['a semicolon that begins another', more(';Action=AssumeRole')],
  ]);
  refuses(/twice/, [
    ['two actions in two cases', more('action=AssumeRole')],
    ['two actions, the first bad', ofUrl(`https://${HOST}/?ACTION=AssumeRole&${GOOD_QUERY}`)],
    ['two lists of signed headers', more('x-amz-signedheaders=host')],
    ['two dates in two cases', more('X-AMZ-DATE=20260304T050607Z')],
  ]);
  refuses(/not percent-encoded/, [
    ['a bare percent', ofPairs(withValue('Version', '2011-06-15%'))],
    ['half an escape', ofPairs(withValue('Version', '2011-06-15%2'))],
    ['an escape that is none', ofPairs(withValue('Version', '2011-06-15%zz'))],
    ['a Unicode escape', ofPairs(withValue('Action', '%u0047etCallerIdentity'))],
    ['a plus', ofPairs(withValue('X-Amz-Security-Token', 'a+b'))],
    ['a quote', ofPairs(withValue('Action', '"GetCallerIdentity"'))],
    ['a comma', ofPairs(withValue('Action', 'GetCallerIdentity,AssumeRole'))],
    ['a brace', ofPairs(withValue('Action', '{GetCallerIdentity}'))],
    [
      'a bare semicolon between headers',
      ofPairs(withValue('X-Amz-SignedHeaders', 'host;x-k8s-aws-id')),
    ],
  ]);
  refuses(/plain ASCII/, [
    ['an encoded line break', ofPairs(withValue('X-Amz-Security-Token', 'a%0d%0ax-k8s-aws-id'))],
    ['an encoded NUL', ofPairs(withValue('Action', 'GetCallerIdentity%00'))],
    ['an encoded space', ofPairs(withValue('Action', 'GetCallerIdentity%20'))],
    ['an encoded accent', ofPairs(withValue('Action', 'G%C3%A9tCallerIdentity'))],
    ['an overlong slash', ofPairs(withValue('X-Amz-Credential', 'AKIA%C0%AF20260304'))],
    ['a confusable letter', ofPairs(withValue('Action', 'GetC%D0%B0llerIdentity'))],
  ]);
});

describe('values', () => {
  const value = (name: string, text: string): Row => [
    `${name} ${text}`,
    ofPairs(withValue(name, text)),
  ];
  const scope = (text: string) => value('X-Amz-Credential', text);
  refuses(/not as it must be/, [
    ...['AssumeRole', 'getcalleridentity', 'GetCallerIdentityX', 'GetSessionToken'].map((text) =>
      value('Action', text),
    ),
    ...['2011-06-16', '2012-06-15', '1', '20110615'].map((text) => value('Version', text)),
    ...['AWS4-HMAC-SHA1', 'aws4-hmac-sha256', 'AWS4-ECDSA-P256-SHA256', 'none'].map((text) =>
      value('X-Amz-Algorithm', text),
    ),
    ...['-1', '01', '1e2', '60.0', '0x3c', '1000', '99999999999', 'NaN'].map((text) =>
      value('X-Amz-Expires', text),
    ),
    ...[
      'host',
      'x-k8s-aws-id',
      'x-k8s-aws-id%3Bhost',
      'Host%3Bx-k8s-aws-id',
      'host%3BX-K8S-AWS-ID',
      'host%3Bx-k8s-aws-id%3B',
      'host%3Bx-k8s-aws-idx',
      'host%3Bother%3Bx-k8s-aws-id',
      'host%2Cx-k8s-aws-id',
    ].map((text) => value('X-Amz-SignedHeaders', text)),
    ...['a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), 'g'.repeat(64)].map((text) =>
      value('X-Amz-Signature', text),
    ),
    ...['20260304', '20260304T0506Z', '2026-03-04T05%3A06%3A07Z', '20260304T050607', 'now'].map(
      (text) => value('X-Amz-Date', text),
    ),
    scope('AKIAIOSFODNN7EXAMPLE'),
    scope('AKIAIOSFODNN7EXAMPLE%2F20260304%2Feu-west-1%2Fec2%2Faws4_request'),
    scope('AKIAIOSFODNN7EXAMPLE%2F20260304%2Feu-west-1%2Fsts%2Faws5_request'),
    scope('AKIAIOSFODNN7EXAMPLE%2F20260304%2Feu-west-1%2Fsts%2Faws4_request%2Fx'),
    scope('akia%2F20260304%2Feu-west-1%2Fsts%2Faws4_request'),
    scope('%2F20260304%2Feu-west-1%2Fsts%2Faws4_request'),
    scope('AKIAIOSFODNN7EXAMPLE%2F2026%2Feu-west-1%2Fsts%2Faws4_request'),
    value('X-Amz-Security-Token', '%7B%7Btoken%7D%7D'),
  ]);
  refuses(/another region/, [
    scope('AKIAIOSFODNN7EXAMPLE%2F20260304%2Fus-east-1%2Fsts%2Faws4_request'),
    ['the global host with a regional scope', ofUrl(`https://sts.amazonaws.com/?${GOOD_QUERY}`)],
  ]);
  refuses(/another day/, [
    scope('AKIAIOSFODNN7EXAMPLE%2F20260303%2Feu-west-1%2Fsts%2Faws4_request'),
    value('X-Amz-Date', '20260305T050607Z'),
  ]);
  refuses(/expire too late/, [value('X-Amz-Expires', '901'), value('X-Amz-Expires', '999')]);
  refuses(/not a time/, [
    value('X-Amz-Date', '20260304T250607Z'),
    value('X-Amz-Date', '20260304T056007Z'),
    value('X-Amz-Date', '20260304T050660Z'),
    ['a day that there is not', ofUrl(urlOf(GOOD).replaceAll('20260304', '20260231'))],
  ]);
  refuses(/the future/, [
    value('X-Amz-Date', '20260304T051108Z'),
    value('X-Amz-Date', '20260304T235959Z'),
  ]);
  refuses(/expired/, [
    value('X-Amz-Date', '20260304T045107Z'),
    value('X-Amz-Date', '20260304T000000Z'),
  ]);

  it('ends for everybody after 15 minutes', () => {
    expect(() => check(GOOD_TOKEN, NOW_MS + 15 * 60_000 - 1)).not.toThrow();
    expect(() => check(GOOD_TOKEN, NOW_MS + 15 * 60_000)).toThrow(/expired/);
  });
});
