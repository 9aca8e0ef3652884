# Builds the wheel and installs it with the locked dependencies. Run as an ordinary user; configuration by variables.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY casemgmt ./casemgmt
RUN python -m venv /opt/casemgmt \
 && /opt/casemgmt/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/casemgmt/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home --home-dir /var/lib/casemgmt --shell /usr/sbin/nologin casemgmt
COPY --from=build /opt/casemgmt /opt/casemgmt
RUN install -d -m 700 -o casemgmt -g casemgmt /run/casemgmt-signer
ENV PATH=/opt/casemgmt/bin:$PATH CASEMGMT_DATA_DIR=/var/lib/casemgmt/data
USER casemgmt
WORKDIR /var/lib/casemgmt
RUN mkdir -m 700 data
EXPOSE 8000
ENTRYPOINT ["casemgmt"]
CMD ["serve"]
