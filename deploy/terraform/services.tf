# API, worker and migration on Fargate.

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(["api", "worker", "migrate"])
  name              = "/rapidphoto/${var.environment}/${each.key}"
  retention_in_days = var.log_retention_days
}

locals {
  common = {
    RAPIDPHOTO_LOG__FORMAT               = "json"
    RAPIDPHOTO_SERVER__OPERATIONS_LISTEN = "0.0.0.0:9090"
    RAPIDPHOTO_SERVER__SHUTDOWN_DELAY    = "10s"
    RAPIDPHOTO_DATABASE__URL             = "postgres://rapidphoto@${aws_db_instance.this.endpoint}/rapidphoto?sslmode=require"
    RAPIDPHOTO_EVENTS__SOURCE            = "sqs"
    RAPIDPHOTO_EVENTS__SQS_QUEUE_URL     = aws_sqs_queue.events.url
    RAPIDPHOTO_STORAGE__ENVIRONMENT      = var.environment
    RAPIDPHOTO_STORAGE__BUCKET           = aws_s3_bucket.photos.id
    RAPIDPHOTO_STORAGE__REGION           = var.region
    RAPIDPHOTO_STORAGE__CREDENTIALS      = "chain"
  }

  broker = var.broker.enabled ? {
    RAPIDPHOTO_BROKER__URL = replace(aws_mq_broker.this[0].instances[0].endpoints[0], "amqps://", "amqps://rapidphoto@")
  } : {}

  # Program of each kind of task.
  tasks = {
    api = {
      image       = var.images.api
      command     = ["serve"]
      size        = var.api
      role        = "api"
      secrets     = local.api_secrets
      healthcheck = ["CMD", "rapidphoto-api", "health"]
      ports       = [8080, 9090]
      environment = {
        RAPIDPHOTO_SERVER__LISTEN           = "0.0.0.0:8080"
        RAPIDPHOTO_SERVER__PUBLIC_URL       = var.public_url
        RAPIDPHOTO_SERVER__ALLOWED_ORIGINS  = jsonencode(var.allowed_origins)
        RAPIDPHOTO_SERVER__BEHIND_TLS_PROXY = "true"
        RAPIDPHOTO_SERVER__TRUSTED_PROXIES  = jsonencode([var.cidr])
      }
    }
    worker = {
      image       = var.images.worker
      command     = ["serve"]
      size        = var.worker
      role        = "worker"
      secrets     = local.worker_secrets
      healthcheck = ["CMD", "rapidphoto-worker", "health"]
      ports       = [9090]
      environment = {}
    }
    migrate = {
      image       = var.images.api
      command     = ["migrate"]
      size        = { cpu = 256, memory = 512 }
      role        = "api"
      secrets     = ["RAPIDPHOTO_DATABASE__PASSWORD"]
      healthcheck = null
      ports       = []
      environment = {}
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.tasks
  family                   = "${local.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.size.cpu
  memory                   = each.value.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.value.role].arn

  container_definitions = jsonencode([{
    name                   = each.key
    image                  = each.value.image
    command                = each.value.command
    essential              = true
    readonlyRootFilesystem = true
    user                   = "10001:10001"
    # Longer than server.shutdown_delay + 2 x server.drain_timeout + 10 s.
    stopTimeout     = 60
    linuxParameters = { capabilities = { drop = ["ALL"] } }
    portMappings    = [for port in each.value.ports : { containerPort = port, hostPort = port, protocol = "tcp" }]
    environment = [
      for name, value in merge(local.common, local.broker, each.value.environment) : { name = name, value = value }
    ]
    secrets = [
      for name in each.value.secrets : { name = name, valueFrom = aws_secretsmanager_secret.this[name].arn }
    ]
    healthCheck = each.value.healthcheck == null ? null : {
      command     = each.value.healthcheck
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[each.key].name
        awslogs-region        = var.region
        awslogs-stream-prefix = each.key
      }
    }
  }])

  depends_on = [aws_secretsmanager_secret_version.this]
}

resource "aws_ecs_service" "api" {
  name                               = "api"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this["api"].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.api.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.tasks.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "api"
    container_port   = 8080
  }

  depends_on = [aws_lb_listener.https]

  lifecycle {
    # The autoscaler changes it.
    ignore_changes = [desired_count]
  }
}

resource "aws_ecs_service" "worker" {
  name                               = "worker"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this["worker"].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.worker.min
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.tasks.id]
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}
