export const HELP = `nullplane: access to an installation, beside kubectl.

Usage: nullplane COMMAND [options]

kubeconfig       adds the cluster to a kubeconfig, and makes it the current one
  --outputs FILE   what "cdk deploy --outputs-file FILE" wrote: where the API is and its name
                   (CloudFormation itself is not asked)
  --stack NAME     which stack of that file, if there are several
  --endpoint URL   where the API is, in place of --outputs
  --cluster-id ID  what tokens are signed for; the installation's name (default nullplane)
  --name NAME      of cluster, user and context (default: the cluster id)
  --exec KIND      what makes tokens: aws (default): "aws eks get-token", any machine with the AWS
                   CLI; nullplane: this program, which keeps a token for 14 minutes
  --region NAME    whose STS vouches (default: the endpoint's, then AWS_REGION)
  --profile NAME   of the AWS credentials
  --ca-file FILE   an authority that is not public, for the endpoint's certificate
  --path FILE      the kubeconfig (default ~/.kube/config); - prints instead

token            prints a token as an ExecCredential, for kubectl
  --cluster-id ID  as above; required
  --region NAME    (default AWS_REGION)
  --profile NAME
  --no-cache       a new one, although an earlier one still holds

dead-letters QUEUE   shows what a queue gave up: reconcile, schedule or health
redrive QUEUE        sends it back, once what failed is mended
  --outputs FILE   as above; required
  --stack NAME
  --max N          letters at most (default 100)
  --region NAME    (default: the queue's)

plan             where manifests would go and what they would cost, before anything runs
  -f FILE          manifests, a file or a folder; may be given several times
  -n NAMESPACE     of objects that name none (default default)
  -o FORM          table (default) or json
  --nodes LIST     machines that are there already, such as 2xg5.12xlarge,10xm7i.xlarge
  --default-pool   as if there were a NodePool of any machine, on demand or Spot
  --against FILE   beside what runs in the cluster of this kubeconfig, in place of an empty one
  --context NAME   of that kubeconfig (default: the current one)
  --region NAME    (default us-east-1)
  --zones LIST     in which machines may be launched (default: a, b and c of the region)
  --trunking       machines have trunk interfaces: more pods fit
                   exit code 1: some pods would wait, or a manifest is wrong

explain pod/NAME shows how the pod's node was chosen
  -n NAMESPACE, --kubeconfig FILE, --context NAME

replay FILE      decides again what "npm start -- --record-decisions FILE" recorded
  --pod NS/NAME    only where this pod was tried, with what every node was to it
                   exit code 1: an answer is another than the recorded one

help             this text
`;
