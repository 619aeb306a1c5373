# The published image under the name of the stage that docker-compose.yml builds for its service `store`.
FROM rustfs/rustfs:1.0.0 AS store
