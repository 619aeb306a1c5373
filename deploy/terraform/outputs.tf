output "load_balancer" {
  description = "The name that public_url's name must point to (CNAME)."
  value       = aws_lb.this.dns_name
}

output "bucket" {
  description = "The bucket of the photos."
  value       = aws_s3_bucket.photos.id
}

output "migrate_command" {
  description = "Migrates the database: run it after the first apply, and before the images of a release are changed."
  value = join(" ", [
    "aws ecs run-task --region ${var.region} --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE",
    "--task-definition ${aws_ecs_task_definition.this["migrate"].family}",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", aws_subnet.private[*].id)}],securityGroups=[${aws_security_group.tasks.id}]}'",
  ])
}
