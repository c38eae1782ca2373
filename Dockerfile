# The gateway in an image of its own: no shell, no package manager, no user that could log in.
#
#   docker build -t doorward .
#   docker run -p 8080:8080 --env-file doorward.env doorward
#
# Without a file in /etc/doorward the environment says everything: DOORWARD_<SECTION>_<KEY>, and
# DOORWARD_…_FILE for a secret that lies in a file.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN benches/ship
RUN install -D -m 755 target/shipped/doorward /image/usr/bin/doorward
RUN install -d -m 700 /image/state

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/usr/bin/doorward /usr/bin/doorward
COPY --from=build --chown=65532:65532 /image/state /var/lib/doorward
ENV STATE_DIRECTORY=/var/lib/doorward
WORKDIR /etc/doorward
VOLUME /var/lib/doorward
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["/usr/bin/doorward", "healthcheck"]
ENTRYPOINT ["/usr/bin/doorward"]
CMD ["serve"]
