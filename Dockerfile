# The image of all processes: web by default, worker, sweep and migrate by their commands
# (compose.yaml). It holds no secrets and no database: everything comes from the environment.

FROM python:3.11-slim AS build
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/production.txt /tmp/production.txt
RUN pip install --require-hashes --only-binary :all: --requirement /tmp/production.txt

WORKDIR /app
COPY manage.py manage.py
COPY config config
COPY apps apps
COPY templates templates
COPY static static
# The two keys are needed to read the settings, used for nothing, and left behind in this stage.
RUN SECRET_KEY=build-only CREDENTIAL_KEYS=build-only python manage.py collectstatic --no-input
RUN python -m compileall -q apps config manage.py


FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --user-group --uid 10001 --home-dir /app --no-create-home hookline
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-m", "config.healthcheck"]
CMD ["python", "-m", "config.web"]
