/**
 * The front door: API Gateway in front of the api function. Owns what is let through (rate, size),
 * access logs and the answers that the gateway gives by itself. Who asks is the function's to find
 * out: kubectl sends a bearer token that no IAM authorizer of the gateway reads.
 */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import {
  CfnApi,
  CfnIntegration,
  CfnRoute,
  CfnStage as CfnHttpStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { GATEWAY_RESPONSES } from './gateway-responses.ts';
import type { Options } from './options.ts';
import { BUFFERED_TIMEOUT_SECONDS, STREAMING_TIMEOUT_SECONDS } from './settings.ts';

const STAGE = 'v1';

/** Who, what and how it went; no token and no query, which may hold one. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  error: '$context.error.message',
};

export class Gateway extends Construct {
  /** The server of a kubeconfig; without a slash at its end. */
  readonly url: string;
  /** Requests that ended in 5xx. */
  readonly serverErrors: Metric;
  readonly requests: Metric;

  constructor(scope: Construct, id: string, fn: Function, options: Options) {
    super(scope, id);
    const logs = new LogGroup(this, 'AccessLogs', {
      logGroupName: `/nullplane/${options.installation}/access`,
      retention: options.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const made =
      options.api === 'http' ? this.#http(fn, logs, options) : this.#rest(fn, logs, options);
    this.url = made.url;
    this.serverErrors = made.serverErrors;
    this.requests = made.requests;
  }

  #rest(fn: Function, logs: LogGroup, options: Options): Made {
    const { installation, apiRequestsPerSecond } = options;
    const api = new RestApi(this, 'Rest', {
      restApiName: installation,
      description: 'Kubernetes API',
      // Regional: an idle stream is cut after 5 minutes, and after 30 s at the edge.
      endpointTypes: [EndpointType.REGIONAL],
      // Without it a REST API takes bodies for text, and changes what is none: kubectl 1.32 and
      // later write in protobuf.
      binaryMediaTypes: ['application/vnd.kubernetes.protobuf'],
      // The account's setting outlives the stack: other APIs may log by it.
      ...(options.gatewayLogRole
        ? { cloudWatchRole: true, cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }
        : { cloudWatchRole: false }),
      deployOptions: {
        stageName: STAGE,
        throttlingRateLimit: apiRequestsPerSecond,
        throttlingBurstLimit: apiRequestsPerSecond * 2,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false, // it would log bodies, and with them secret values
        tracingEnabled: options.tracing,
      },
      defaultIntegration: integration(fn, options.api === 'rest'),
    });
    api.root.addMethod('ANY');
    api.root.addProxy({ anyMethod: true });
    for (const { type, ...response } of GATEWAY_RESPONSES) {
      api.addGatewayResponse(type, { ...response, type: ResponseType.of(type) });
    }
    return {
      url: api.url.replace(/\/$/, ''),
      serverErrors: api.metricServerError({ statistic: Stats.SUM }),
      requests: api.metricCount({ statistic: Stats.SUM }),
    };
  }

  /** In CloudFormation's own terms: the aliases that emulators know, and one route for all. */
  #http(fn: Function, logs: LogGroup, options: Options): Made {
    const { installation, apiRequestsPerSecond } = options;
    const api = new CfnApi(this, 'Http', { name: installation, protocolType: 'HTTP' });
    const target = new CfnIntegration(this, 'Function', {
      apiId: api.ref,
      integrationType: 'AWS_PROXY',
      integrationUri: fn.functionArn,
      payloadFormatVersion: '2.0',
      timeoutInMillis: BUFFERED_TIMEOUT_SECONDS * 1000,
    });
    new CfnRoute(this, 'All', {
      apiId: api.ref,
      routeKey: '$default',
      target: `integrations/${target.ref}`,
    });
    new CfnHttpStage(this, 'Stage', {
      apiId: api.ref,
      stageName: '$default',
      autoDeploy: true,
      accessLogSettings: { destinationArn: logs.logGroupArn, format: JSON.stringify(ACCESS_LOG) },
      defaultRouteSettings: {
        throttlingRateLimit: apiRequestsPerSecond,
        throttlingBurstLimit: apiRequestsPerSecond * 2,
      },
    });
    fn.addPermission('HttpApi', {
      principal: new ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: Stack.of(this).formatArn({ service: 'execute-api', resource: `${api.ref}/*` }),
    });
    const metric = (metricName: string) =>
      new Metric({
        namespace: 'AWS/ApiGateway',
        metricName,
        dimensionsMap: { ApiId: api.ref },
        statistic: Stats.SUM,
      });
    return { url: api.attrApiEndpoint, serverErrors: metric('5xx'), requests: metric('Count') };
  }
}

interface Made {
  readonly url: string;
  readonly serverErrors: Metric;
  readonly requests: Metric;
}

function integration(fn: Function, streams: boolean): LambdaIntegration {
  const seconds = streams ? STREAMING_TIMEOUT_SECONDS : BUFFERED_TIMEOUT_SECONDS;
  return new LambdaIntegration(fn, {
    proxy: true,
    allowTestInvoke: false,
    timeout: Duration.seconds(seconds),
    responseTransferMode: streams ? ResponseTransferMode.STREAM : ResponseTransferMode.BUFFERED,
  });
}
